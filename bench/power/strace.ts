import { spawnSync } from "node:child_process";
import { ensureDebianPackage } from "../../sandbox/tools";

/** Why nothing can be recorded here; undefined where it can. */
export function straceMissing(): string | undefined {
  try {
    const { error, status, stderr } = spawnSync(ensureDebianPackage("strace", "strace"), ["-f", "-qq", "true"]);
    return status === 0 ? undefined : `strace cannot trace: ${error?.message ?? stderr.toString().trim()}`;
  } catch (error) {
    return (error as Error).message;
  }
}
