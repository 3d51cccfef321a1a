import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Identity } from "../../../src/zot/authorizer";
import type { Registry } from "../registry";
import { isDigest } from "../storage/digest";
import { RegistryError, sendEmpty } from "./errors";
import type { Exchange } from "./exchange";

/** Whether the user may read some repository that holds the blob (zot 2.1.20, canMount). */
export function readableCandidate(registry: Registry, identity: Identity, digest: string): boolean {
  return (
    !registry.started.authorization ||
    registry.layout.candidates(digest).some((repository) => registry.mayRead(identity, repository))
  );
}

/** With dedupe on, a HEAD links the blob into the repository it asks about, and so creates that repository; so does a ranged GET. */
function sizeOrLinked({ registry, identity, repository, reference: digest }: Exchange): number | undefined {
  const { layout } = registry;
  const linkable = readableCandidate(registry, identity, digest);
  return layout.blobSize(repository, digest) ?? (linkable ? layout.link(repository, digest) : undefined);
}

export function head(exchange: Exchange): void {
  const { response, reference: digest } = exchange;
  if (!isDigest(digest)) {
    // zot takes its own refusal of the digest for an unexpected error here.
    throw new RegistryError(500);
  }
  const size = sizeOrLinked(exchange);
  if (size === undefined) throw new RegistryError(404, "BLOB_UNKNOWN", { digest });
  const headers = { ...describe(exchange), "Content-Length": size, "Accept-Ranges": "bytes" };
  response.writeHead(200, headers).end();
}

export async function get(exchange: Exchange): Promise<void> {
  const { registry, request, response, repository, reference: digest } = exchange;
  if (!isDigest(digest)) throw new RegistryError(400, "DIGEST_INVALID", { digest });
  const ranged = request.headers.range !== undefined;
  const size = ranged ? sizeOrLinked(exchange) : registry.layout.blobSize(repository, digest);
  if (size === undefined) throw new RegistryError(404, "BLOB_UNKNOWN", { digest });
  const path = registry.layout.blobPath(repository, digest);
  if (!ranged) {
    response.writeHead(200, { ...describe(exchange), "Content-Length": size });
    await pipeline(createReadStream(path), response);
    return;
  }
  const range = parseRange(request.headers.range ?? "", size);
  if (!range) {
    response.setHeader("Content-Range", `bytes */${size}`);
    throw new RegistryError(416);
  }
  response.writeHead(206, {
    ...describe(exchange),
    "Content-Length": range.end - range.start + 1,
    "Content-Range": `bytes ${range.start}-${range.end}/${size}`,
  });
  await pipeline(createReadStream(path, range), response);
}

function describe({ registry, repository, reference: digest }: Exchange): Record<string, string> {
  const mediaType = registry.manifests.mediaTypeOf(repository, digest) ?? "application/octet-stream";
  return { "Docker-Content-Digest": digest, "Content-Type": mediaType };
}

/** One byte range (RFC 9110, section 14.1.2), ends inclusive; the stand-in serves no multipart ranges. */
function parseRange(header: string, size: number): { start: number; end: number } | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (first === "") return Number(last) > 0 ? { start: Math.max(size - Number(last), 0), end: size - 1 } : undefined;
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start <= end ? { start, end } : undefined;
}

export function remove({ registry, response, repository, reference: digest }: Exchange): void {
  if (!isDigest(digest)) throw new RegistryError(404);
  if (registry.layout.blobSize(repository, digest) === undefined) {
    throw new RegistryError(404, "BLOB_UNKNOWN", { digest });
  }
  if (registry.manifests.references(repository, digest)) throw new RegistryError(405, "DENIED", { digest });
  registry.layout.removeBlob(repository, digest);
  sendEmpty(response, 202);
}
