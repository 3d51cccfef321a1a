import { randomUUID } from "node:crypto";
import { createWriteStream, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { RegistryError } from "../distribution/errors";
import { digestOfFile } from "./digest";
import { sizeIfThere } from "./files";
import type { Layout } from "./layout";

/** Blob uploads, each a file under the repository's .uploads directory, so they survive a restart. */
export class Uploads {
  constructor(private readonly layout: Layout) {}

  /** Returns the session identifier. */
  start(repository: string): string {
    this.layout.create(repository);
    const session = randomUUID();
    const path = this.layout.uploadPath(repository, session);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
    return session;
  }

  size(repository: string, session: string): number {
    const size = /^[0-9a-f-]{36}$/.test(session) ? sizeIfThere(this.layout.uploadPath(repository, session)) : undefined;
    if (size === undefined) throw new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", { session_id: session });
    return size;
  }

  /**
   * Appends a chunk and returns the size so far. One that does not come to its end takes the session with it.
   * @param from where the client says the chunk starts; must be the size so far
   */
  async append(repository: string, session: string, body: Readable, from?: number): Promise<number> {
    const size = this.size(repository, session);
    if (from !== undefined && from !== size) {
      throw new RegistryError(416, "BLOB_UPLOAD_INVALID", { session_id: session });
    }
    const path = this.layout.uploadPath(repository, session);
    try {
      await pipeline(body, createWriteStream(path, { flags: "a" }));
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
    return this.size(repository, session);
  }

  async finish(repository: string, session: string, digest: string): Promise<void> {
    this.size(repository, session);
    const path = this.layout.uploadPath(repository, session);
    const [algorithm = ""] = digest.split(":");
    if ((await digestOfFile(path, algorithm)) !== digest) throw new RegistryError(400, "DIGEST_INVALID", { digest });
    const target = this.layout.blobPath(repository, digest);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(path, target);
    this.layout.remember(repository, digest);
  }

  cancel(repository: string, session: string): void {
    this.size(repository, session);
    rmSync(this.layout.uploadPath(repository, session), { force: true });
  }
}
