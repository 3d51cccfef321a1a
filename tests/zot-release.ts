import { execFileSync } from "node:child_process";

/** What a zot says that it is; a build of its main branch names no release, and is later than all of them. */
export function releaseOf(zot: string): string {
  const said = execFileSync(zot, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return /"commit":"v?(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? "9999.0.0";
}
