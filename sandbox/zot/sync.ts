import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { matchPattern } from "../../src/zot/doublestar";
import type { RawConfig } from "../../src/zot/file/schema";
import type { LoadedConfig } from "./config/loaded";
import type { Logger } from "./log";
import { isDigest } from "./storage/digest";
import { type Layout, MEDIA } from "./storage/layout";
import type { Manifests } from "./storage/manifests";
import type { Uploads } from "./storage/uploads";

type SyncConfig = NonNullable<NonNullable<RawConfig["extensions"]>["sync"]>;
type Upstream = NonNullable<SyncConfig["registries"]>[number];
type Content = NonNullable<Upstream["content"]>[number];

/** zot's default for a whole synchronization. */
const TIMEOUT_MS = 3 * 60 * 60 * 1000;

const ACCEPT = Object.values(MEDIA).join(", ");

interface Parts {
  config?: { digest: string };
  layers?: { digest: string }[];
  manifests?: { digest: string }[];
}

/** The registry that fetches. */
interface Local {
  config: LoadedConfig;
  logger: Logger;
  layout: Layout;
  manifests: Manifests;
  uploads: Uploads;
}

/** Pull-through: asks the upstreams of extensions.sync for what a pull does not find here, or finds to have moved. */
export class OnDemandSync {
  private readonly running = new Map<string, Promise<void>>();

  constructor(private readonly registry: Local) {}

  /** Never fails: what could not be fetched is served from here or not at all. Equal requests share one fetch. */
  fetch(repository: string, reference: string): Promise<void> {
    const key = `${repository}@${reference}`;
    const started = this.running.get(key) ?? this.tryUpstreams(repository, reference);
    this.running.set(key, started);
    return started.finally(() => this.running.delete(key));
  }

  private async tryUpstreams(repository: string, reference: string): Promise<void> {
    const { sync } = this.registry.config.extensions ?? {};
    const upstreams = sync?.enable ? (sync.registries ?? []).filter((upstream) => upstream.onDemand) : [];
    for (const upstream of upstreams) {
      const remote = remoteName(repository, upstream.content);
      for (const url of remote === undefined ? [] : (upstream.urls ?? [])) {
        const signal = AbortSignal.timeout(upstream.syncTimeout ?? TIMEOUT_MS);
        const source = { base: `${url.replace(/\/$/, "")}/v2/${remote}`, signal };
        if (await this.trySource(source, repository, reference)) return;
      }
    }
  }

  private async trySource(source: Source, repository: string, reference: string): Promise<boolean> {
    const { logger, manifests } = this.registry;
    try {
      const known = manifests.find(repository, reference)?.digest;
      if (known === undefined || known !== (await remoteDigest(source, reference))) {
        await this.copy(source, repository, reference);
      }
      return true;
    } catch (error) {
      logger.error("failed to sync image", { error: (error as Error).message, repository, reference });
      return false;
    }
  }

  /** Blobs and inner manifests first, so that what is stored is whole. */
  private async copy(source: Source, repository: string, reference: string): Promise<void> {
    const response = await request(source, `manifests/${reference}`);
    const mediaType = response.headers.get("content-type") ?? "";
    const content = Buffer.from(await response.arrayBuffer());
    if (!this.registry.manifests.supports(mediaType)) {
      throw new Error(`the stand-in does not convert ${mediaType}: set http.compat, or push an OCI image upstream`);
    }
    const { config, layers = [], manifests = [] } = JSON.parse(content.toString()) as Parts;
    for (const { digest } of manifests.filter((inner) => isDigest(inner.digest))) {
      await this.copy(source, repository, digest);
    }
    for (const { digest } of config ? [config, ...layers] : layers) await this.copyBlob(source, repository, digest);
    this.registry.manifests.put(repository, reference, mediaType, content, []);
  }

  private async copyBlob(source: Source, repository: string, digest: string): Promise<void> {
    const { layout, uploads } = this.registry;
    if (!isDigest(digest) || (layout.blobSize(repository, digest) ?? layout.link(repository, digest)) !== undefined) {
      return;
    }
    const { body } = await request(source, `blobs/${digest}`);
    const session = uploads.start(repository);
    await uploads.append(repository, session, body ? Readable.fromWeb(body as ReadableStream) : Readable.from([]));
    await uploads.finish(repository, session, digest);
  }
}

interface Source {
  /** The upstream's URL up to and with the repository. */
  base: string;
  signal: AbortSignal;
}

async function request({ base, signal }: Source, path: string, method = "GET"): Promise<Response> {
  const response = await fetch(`${base}/${path}`, { method, signal, headers: { Accept: ACCEPT } });
  if (!response.ok) throw new Error(`${method} ${base}/${path} answered ${response.status}`);
  return response;
}

async function remoteDigest(source: Source, reference: string): Promise<string | null> {
  return (await request(source, `manifests/${reference}`, "HEAD")).headers.get("docker-content-digest");
}

const trim = (path: string) => path.replace(/^\/+|\/+$/g, "");

/** The upstream's name of a repository (zot 2.1.20, GetRepoSource); undefined if no content entry covers it. */
function remoteName(repository: string, contents: Content[] | undefined): string | undefined {
  if (!contents || contents.length === 0) return repository;
  const content = contents.find((entry) => matchPattern(localPattern(entry), repository));
  if (!content) return undefined;
  const destination = trim(content.destination ?? "");
  const rest = trim(repository.startsWith(destination) ? repository.slice(destination.length) : repository);
  return content.stripPrefix ? trim(`${(content.prefix ?? "").replace(/^[/*]+|[/*]+$/g, "")}/${rest}`) : rest;
}

function localPattern({ prefix = "", destination = "", stripPrefix }: Content): string {
  const inner = stripPrefix ? globPart(trim(prefix)) : trim(prefix);
  return trim([trim(destination), inner].join("/"));
}

/** What follows the last component without a meta character. */
function globPart(prefix: string): string {
  const components = prefix.split("/");
  const first = components.findIndex((component) => /[*?[{\\]/.test(component));
  return first < 0 ? "" : components.slice(first).join("/");
}
