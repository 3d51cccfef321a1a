import { type FSWatcher, readFileSync } from "node:fs";
import type { Logger } from "../log";
import { watchFile } from "../watch-file";

/** Users of an htpasswd file with bcrypt hashes; an in-place write of the file is picked up. */
export class Htpasswd {
  private hashes = new Map<string, string>();
  private watcher: FSWatcher | undefined;

  constructor(private readonly logger: Logger) {}

  /** Throws if the file cannot be read. Undefined closes the file. */
  use(path: string | undefined): void {
    this.close();
    if (!path) {
      this.hashes.clear();
      return;
    }
    this.load(path);
    this.watcher = watchFile(path, () => this.reload(path));
  }

  close(): void {
    this.watcher?.close();
    this.watcher = undefined;
  }

  async accepts(name: string, password: string): Promise<boolean> {
    const hash = this.hashes.get(name);
    if (hash === undefined) return false;
    const { compare } = await import("bcryptjs");
    return compare(password, hash);
  }

  private reload(path: string): void {
    try {
      this.load(path);
    } catch (error) {
      this.logger.error("failed to reload htpasswd file", { error: (error as Error).message, "htpasswd-file": path });
    }
  }

  private load(path: string): void {
    const lines = readFileSync(path, "utf8").split("\n");
    this.hashes = new Map(
      lines
        .map((line) => line.trim().split(":"))
        .flatMap(([name, hash]) => (name && hash ? [[name, hash] as const] : [])),
    );
  }
}
