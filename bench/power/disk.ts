import { execFileSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { atExit } from "../../sandbox/process";
import { ensureDebianPackage } from "../../sandbox/tools";

export const DISK_KINDS = ["ext4", "xfs"] as const;
export type DiskKind = (typeof DISK_KINDS)[number];

/** xfs takes no less than 300 MB; the file has holes. */
const SIZE = "320M";

/** A file system of its own, in a file, that can lose power: whatever it has not written yet is gone. */
export class Disk {
  /** A file system that is mounted outlives the process. */
  private readonly leave = atExit(() => this.remove());

  private constructor(
    private readonly kind: DiskKind,
    private readonly image: string,
    private readonly directory: string,
  ) {}

  /**
   * @param image the file; made anew
   * @param directory where it is mounted
   * @throws when this machine cannot do that, saying why
   */
  static make(kind: DiskKind, image: string, directory: string): Disk {
    for (const [command, name] of [
      ["mkfs.ext4", "e2fsprogs"],
      ["mkfs.xfs", "xfsprogs"],
      ["xfs_io", "xfsprogs"],
    ] as const) {
      ensureDebianPackage(command, name);
    }
    rmSync(image, { force: true });
    run("truncate", "-s", SIZE, image);
    run(`mkfs.${kind}`, "-q", image);
    const disk = new Disk(kind, image, directory);
    disk.mount();
    chmodSync(directory, 0o700);
    disk.settle();
    return disk;
  }

  /** Everything is on disk. */
  settle(): void {
    run("sync", "-f", this.directory);
  }

  /** From now on nothing reaches the disk. What has not got there is lost. */
  cut(): void {
    run("xfs_io", "-x", "-c", "shutdown", this.directory);
  }

  /** As when the power comes back: the journal is played. @throws when somebody still uses the disk after a minute */
  async restart(): Promise<void> {
    await patiently(() => run("umount", this.directory));
    // A mount namespace that was made meanwhile has the disk still, and as it was shut down.
    await patiently(() => {
      if (run("losetup", "-j", this.image) !== "")
        throw new Error(`${this.image} is mounted elsewhere on this machine`);
    });
    this.mount();
  }

  remove(): void {
    this.leave();
    run("umount", "-l", this.directory);
    rmSync(this.image, { force: true });
  }

  /** ext4 keeps names back for 5 s by default, and content for 30: a second shows the same sooner. */
  private mount(): void {
    run("mount", "-o", this.kind === "ext4" ? "loop,commit=1" : "loop", this.image, this.directory);
  }
}

/** @throws what the step throws after a minute */
async function patiently(step: () => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return step();
    } catch (error) {
      if (tries === 600) throw error;
      await sleep(100);
    }
  }
}

/** @returns what it printed */
function run(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: string };
    throw new Error(`${command} ${args.join(" ")}: ${stderr?.trim() || message}`);
  }
}
