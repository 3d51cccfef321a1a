import { isDigest } from "../storage/digest";
import { bodyOf } from "../timeouts";
import { readableCandidate } from "./blobs";
import { RegistryError, sendEmpty } from "./errors";
import type { Exchange } from "./exchange";

export async function start(exchange: Exchange): Promise<void> {
  const { registry, response, repository, query } = exchange;
  const mounted = query.get("mount");
  const digest = query.get("digest");
  if (mounted !== null && mount(exchange, mounted)) {
    created(exchange, mounted);
    return;
  }
  if (mounted === null && query.has("from")) throw new RegistryError(405);
  if (mounted === null && digest !== null) {
    await monolithic(exchange, digest);
    return;
  }
  const session = registry.uploads.start(repository);
  response.setHeader("Location", `/v2/${repository}/blobs/uploads/${session}`);
  response.setHeader("Range", "0-0");
  sendEmpty(response, 202);
}

/** Only a blob that the user may read somewhere is mounted; `from` plays no part (zot 2.1.20). */
function mount({ registry, identity, repository }: Exchange, digest: string): boolean {
  if (!isDigest(digest) || !readableCandidate(registry, identity, digest)) return false;
  const { layout } = registry;
  return (layout.blobSize(repository, digest) ?? layout.link(repository, digest)) !== undefined;
}

async function monolithic(exchange: Exchange, digest: string): Promise<void> {
  const { registry, request, response, repository } = exchange;
  if (request.headers["content-type"] !== "application/octet-stream") throw new RegistryError(415);
  requireDigest(digest);
  if (request.headers["content-length"] === undefined) {
    throw new RegistryError(400, "BLOB_UPLOAD_INVALID", { digest, "Content-Length": "-1" });
  }
  const session = registry.uploads.start(repository);
  await registry.uploads.append(repository, session, bodyOf(request, registry.config.http));
  await registry.uploads.finish(repository, session, digest);
  response.setHeader("Blob-Upload-UUID", session);
  created(exchange, digest);
}

function created({ response, repository }: Exchange, digest: string): void {
  response.setHeader("Location", `/v2/${repository}/blobs/${digest}`);
  sendEmpty(response, 201);
}

export function status({ registry, response, repository, reference: session }: Exchange): void {
  const size = registry.uploads.size(repository, session);
  response.setHeader("Location", `/v2/${repository}/blobs/uploads/${session}`);
  response.setHeader("Range", `0-${Math.max(size - 1, 0)}`);
  sendEmpty(response, 204);
}

export async function patch({ registry, request, response, repository, reference: session }: Exchange): Promise<void> {
  const range = request.headers["content-length"] === undefined ? undefined : request.headers["content-range"];
  const from = range === undefined ? undefined : rangeStart(range, Number(request.headers["content-length"]));
  const size = await registry.uploads.append(repository, session, bodyOf(request, registry.config.http), from);
  response.setHeader("Location", `/v2/${repository}/blobs/uploads/${session}`);
  response.setHeader("Range", `0-${size - 1}`);
  response.setHeader("Blob-Upload-UUID", session);
  sendEmpty(response, 202);
}

/** @param length what the range must cover; undefined for a last chunk, whose length zot does not compare */
function rangeStart(range: string, length?: number): number {
  const [, from, to] = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(range)?.map(Number) ?? [];
  if (from === undefined || to === undefined || from > to || (length !== undefined && to - from + 1 !== length)) {
    throw new RegistryError(416);
  }
  return from;
}

export async function finish(exchange: Exchange): Promise<void> {
  const { registry, request, response, repository, reference: session, query } = exchange;
  const digests = query.getAll("digest");
  if (digests.length !== 1 || !isDigest(digests[0] as string)) throw new RegistryError(400);
  const digest = digests[0] as string;
  const range = request.headers["content-range"];
  if (range !== undefined) {
    await registry.uploads.append(repository, session, bodyOf(request, registry.config.http), rangeStart(range));
  } else if (Number(request.headers["content-length"] ?? 0) > 0) {
    await registry.uploads.append(repository, session, bodyOf(request, registry.config.http), 0);
  }
  await registry.uploads.finish(repository, session, digest);
  response.setHeader("Docker-Content-Digest", digest);
  created(exchange, digest);
}

export function cancel({ registry, response, repository, reference: session }: Exchange): void {
  registry.uploads.cancel(repository, session);
  sendEmpty(response, 204);
}

function requireDigest(digest: string): void {
  if (!isDigest(digest)) throw new RegistryError(400, "DIGEST_INVALID", { digest });
}
