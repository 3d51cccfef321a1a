import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

const LENGTHS: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };

/** A digest as the OCI image specification writes it, in an algorithm zot knows: "sha256:" + 64 hex digits. */
export function isDigest(text: string): boolean {
  const [algorithm = "", hex = ""] = text.split(":");
  return text === `${algorithm}:${hex}` && hex.length === LENGTHS[algorithm] && /^[0-9a-f]+$/.test(hex);
}

export function digestOf(content: string | Buffer, algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`;
}

export async function digestOfFile(path: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return `${algorithm}:${hash.digest("hex")}`;
}
