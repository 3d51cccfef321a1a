import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { findCommand } from "./tools";

/** One thing the sandbox runs: the real one where it was found, else a stand-in of ours. */
export interface Part {
  name: string;
  kind: "real" | "stand-in";
  version: string;
  where: string;
}

/** `ZOT=/path/to/zot` or zot on PATH, else the stand-in. @throws when that zot does not run */
export function findZot(): Part {
  const real = process.env.ZOT || findCommand("zot");
  const where = resolve(real ?? resolve(__dirname, "zot/zot"));
  return { name: "registry (zot)", kind: real ? "real" : "stand-in", version: zotVersion(where), where };
}

/** zot prints its version as one JSON log line. */
function zotVersion(binary: string): string {
  try {
    const printed = execFileSync(binary, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    const version = /\d+\.\d+\.\d+/.exec(JSON.parse(printed).commit)?.[0];
    if (version) return version;
  } catch {
    // Said below.
  }
  throw new Error(`${binary} --version did not answer as zot does; is ZOT right?`);
}
