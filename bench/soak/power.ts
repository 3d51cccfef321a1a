import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxHost } from "../../sandbox/host/host";
import { Disk } from "../power/disk";

/**
 * Puts a host's configuration on a file system that can lose power.
 * @returns what its power cuts are, in words, and no disk where this machine cannot do that
 */
export function onDisk({ configDirectory }: SandboxHost): { disk?: Disk; powerCuts: string } {
  const file = join(configDirectory, "config.json");
  const config = readFileSync(file);
  try {
    const disk = Disk.make("ext4", join(configDirectory, "../disk"), configDirectory);
    writeFileSync(file, config);
    disk.settle();
    return { disk, powerCuts: "real: its configuration is on an ext4 of its own, which loses what was not synced" };
  } catch (error) {
    return { powerCuts: `not real, it keeps what was written: ${(error as Error).message}` };
  }
}
