import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StartFailure } from "../start-failure";

/** How long zot waits for another process to let go of its databases. */
const WAIT_MS = 10_000;
const POLL_MS = 50;

/** What this process holds. */
const held = new Set<string>();

/** Takes the root directory for this process alone; returns what gives it back. Throws StartFailure after ten seconds. */
export async function lockRoot(rootDirectory: string): Promise<() => void> {
  const path = join(rootDirectory, "cache.db");
  const deadline = Date.now() + WAIT_MS;
  while (!take(path)) {
    if (Date.now() > deadline) throw new StartFailure("boltdb file is already in use, path may be invalid");
    await sleep(POLL_MS);
  }
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}

function take(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const pid = Number(readFileSync(path, "utf8"));
  // In a container every zot has the same process id.
  if (!isAlive(pid) || (pid === process.pid && !held.has(path))) rmSync(path, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
