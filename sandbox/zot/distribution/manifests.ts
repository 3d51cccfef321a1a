import { readBody } from "../body";
import { isDigest } from "../storage/digest";
import type { Manifest } from "../storage/manifests";
import { bodyOf } from "../timeouts";
import { RegistryError, sendEmpty } from "./errors";
import type { Exchange } from "./exchange";

/** zot's limits: bytes of a manifest, `tag` parameters of one push by digest. */
const MAX_MANIFEST = 4 * 1024 * 1024;
const MAX_TAGS = 46;

const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

export async function head(exchange: Exchange): Promise<void> {
  const manifest = await find(exchange);
  describe(exchange, manifest).end();
}

export async function get(exchange: Exchange): Promise<void> {
  const manifest = await find(exchange);
  exchange.registry.metrics.count("zot_repo_downloads_total", { repo: exchange.repository });
  describe(exchange, manifest).end(manifest.content);
}

/** A digest that is here is served from here; anything else may be fetched from an upstream first. */
async function find({ registry, repository, reference }: Exchange): Promise<Manifest> {
  if (!isDigest(reference) || registry.manifests.find(repository, reference) === undefined) {
    await registry.sync.fetch(repository, reference);
  }
  return registry.manifests.get(repository, reference);
}

function describe({ response }: Exchange, { digest, mediaType, content }: Manifest) {
  return response.writeHead(200, {
    "Docker-Content-Digest": digest,
    "Content-Type": mediaType,
    "Content-Length": content.length,
  });
}

export async function put(exchange: Exchange): Promise<void> {
  const { registry, request, response, repository, reference, query } = exchange;
  const mediaType = request.headers["content-type"] ?? "";
  if (!isDigest(reference) && /^[a-z0-9+._-]+:/.test(reference)) {
    throw new RegistryError(400, "DIGEST_INVALID", { reference });
  }
  if (!registry.manifests.supports(mediaType)) throw new RegistryError(415, "MANIFEST_INVALID", { mediaType });
  const tags = extraTags(reference, query.getAll("tag"));
  // As in zot, what was allowed before the body came stays allowed, though the tag may have come to be meanwhile.
  const body = await readBody(bodyOf(request, registry.config.http), MAX_MANIFEST);
  const { digest, subject } = registry.manifests.put(repository, reference, mediaType, body, tags);
  registry.metrics.count("zot_repo_uploads_total", { repo: repository });
  if (subject) response.setHeader("OCI-Subject", subject);
  if (tags.length > 0) response.setHeader("OCI-Tag", tags);
  response.setHeader("Location", `/v2/${repository}/manifests/${digest}`);
  response.setHeader("Docker-Content-Digest", digest);
  sendEmpty(response, 201);
}

function extraTags(reference: string, raw: string[]): string[] {
  const invalid = (reason: string, status = 400) => new RegistryError(status, "MANIFEST_INVALID", { reason });
  if (raw.length > MAX_TAGS) throw invalid(`too many tag query parameters (max ${MAX_TAGS})`, 414);
  const tags = [...new Set(raw.map((tag) => tag.trim()))];
  if (tags.some((tag) => !TAG.test(tag))) throw invalid("invalid tag query parameter");
  if (tags.length > 0 && !isDigest(reference)) {
    throw invalid("tag query parameters are only valid when pushing a manifest by digest");
  }
  return tags;
}

export function remove({ registry, response, identity, repository, reference }: Exchange): void {
  const question = { repository, action: "detectManifestCollision", reference } as const;
  const detect = registry.started.authorization && registry.authorizer().can(identity, question).allowed;
  registry.manifests.remove(repository, reference, detect);
  sendEmpty(response, 202);
}
