import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxHost } from "../host/host";
import { Disk } from "../power/disk";

/**
 * Puts a host's configuration on a file system that can lose power.
 * @returns undefined where this machine cannot do that, which is said
 */
export function onDisk({ configDirectory }: SandboxHost, log: (line: string) => void): Disk | undefined {
  const file = join(configDirectory, "config.json");
  const config = readFileSync(file);
  try {
    const disk = Disk.make("ext4", join(configDirectory, "../disk"), configDirectory);
    writeFileSync(file, config);
    disk.settle();
    log("a host that loses power loses what was not synced: its configuration is on a file system of its own");
    return disk;
  } catch (error) {
    log(`a host that loses power keeps what was written: ${(error as Error).message}`);
    return undefined;
  }
}
