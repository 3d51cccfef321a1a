import type { Readable } from "node:stream";
import { RegistryError } from "./distribution/errors";

/** Reads a request body of at most `limit` bytes; 413 beyond. */
export async function readBody(body: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > limit) throw new RegistryError(413);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
