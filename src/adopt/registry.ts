import { isDeepStrictEqual } from "node:util";
import { DEFAULT_TIMEOUT, registryKeys } from "../settings/registry";
import { requestTimeout } from "../settings/vocabulary";
import type { AccessControl, OpenIdProvider, SyncRegistry, ZotConfig } from "../zot/types";
import { LATER_KEYS_SINCE, laterKeyIn } from "../zot/versions";

/** Settings as the stack file has them: nothing that is a default. */
export type Section = Record<string, unknown>;

/** What config.json does not say, by path in the settings; shown as a comment beside the value that stands in. */
export type Missing = Map<string, string>;

/**
 * `harden-zot:registry` for what a configuration says of storage, network and extensions.
 * @param config in effective form
 * @param missing told what the configuration does not say
 */
export function registrySection(config: ZotConfig, missing: Missing): Section {
  const { storage, http, log, extensions = {} } = config;
  const { search, ui, sync } = extensions;
  const caches = (sync?.registries ?? []).flatMap((registry) => cacheOf(registry) ?? []);
  const url = accepted("externalUrl", http.externalUrl);
  if (url === undefined)
    missing.set(
      "harden-zot:registry.externalUrl",
      "the URL that users and clients know, with TLS in front: https://...",
    );
  missing.set("harden-zot:registry.version", "what `zot --version` says on the hosts");
  return withoutDefaults({
    externalUrl: url ?? "https://registry.invalid",
    version: laterKeyIn(config) === undefined ? "2.1.20" : LATER_KEYS_SINCE,
    listen: { address: http.address.replace(/^\[(.*)\]$/, "$1"), port: Number(http.port) },
    storage: storageSection(storage),
    pullThrough: caches,
    compat: http.compat ?? [],
    realm: accepted("realm", http.realm),
    logLevel: accepted("logLevel", log?.level),
    timeouts: timeoutsOf(http),
    metrics: metricsOf(config),
    search: search && (search.cve?.updateInterval ? { cve: { updateInterval: search.cve.updateInterval } } : {}),
    ui: (ui !== undefined) === (search !== undefined) ? undefined : ui !== undefined,
  });
}

/** What the setting takes; the default stands in for anything else, such as no bound at all. */
function timeoutsOf({ readTimeout: read, writeTimeout: write }: ZotConfig["http"]): Section | undefined {
  const kept = Object.entries({ read, write }).filter(
    ([, value]) => value !== DEFAULT_TIMEOUT && requestTimeout.safeParse(value).success,
  );
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

function storageSection({ rootDirectory, gc, gcDelay, gcInterval, dedupe }: ZotConfig["storage"]): Section {
  const defaults = { gc: true, gcDelay: "1h", gcInterval: "24h", dedupe: true };
  const differing = Object.entries({ gc, gcDelay, gcInterval, dedupe }).filter(
    ([key, value]) => value !== undefined && value !== defaults[key as keyof typeof defaults],
  );
  return { rootDirectory, ...Object.fromEntries(differing) };
}

const DEFAULTS: Section = { pullThrough: [], compat: [], metrics: "off", realm: "zot", logLevel: "info" };

function withoutDefaults(section: Section): Section {
  const kept = Object.entries(section).filter(
    ([key, value]) => value !== undefined && !isDeepStrictEqual(value, DEFAULTS[key]),
  );
  return Object.fromEntries(kept);
}

/** The value, if the setting of that name takes it; else the configuration keeps it through extraConfig. */
function accepted(key: "externalUrl" | "realm" | "logLevel", value: string | undefined): string | undefined {
  return registryKeys.shape[key].safeParse(value).success ? value : undefined;
}

/** undefined: more than a cache filled on demand. */
function cacheOf(registry: SyncRegistry): Section | undefined {
  const { urls, onDemand, tlsVerify, content, ...rest } = registry;
  const [{ prefix, destination, ...narrowed } = { prefix: "" }, ...others] = content ?? [];
  const name = /^\/([a-z0-9]+(?:[._-][a-z0-9]+)*)$/.exec(destination ?? "")?.[1];
  const plain = isDeepStrictEqual(
    { rest, narrowed, others, prefix },
    { rest: {}, narrowed: {}, others: [], prefix: "**" },
  );
  if (name === undefined || urls?.length !== 1 || !onDemand || !plain) return undefined;
  return { name, url: urls[0], ...(tlsVerify === false ? { tlsVerify } : {}) };
}

function metricsOf({ http, extensions }: ZotConfig): unknown {
  if (extensions?.metrics === undefined) return "off";
  if (http.accessControl === undefined) return "anonymous";
  const { users = [], anonymousPolicy = [] }: NonNullable<AccessControl["metrics"]> = http.accessControl.metrics ?? {};
  if (anonymousPolicy.includes("read") || users.includes("")) return "anonymous";
  return users.length > 0 ? { users } : "off";
}

/**
 * `harden-zot:identity` and `authentik:url`.
 * @param config in effective form
 */
export function identitySections(config: ZotConfig, missing: Missing): { url: string; identity: Section } {
  const provider = config.http.auth?.openid?.providers.oidc as (OpenIdProvider & { clientid?: string }) | undefined;
  const [, url, slug] = /^(https?:\/\/.+)\/application\/o\/([a-z0-9-]+)\/$/.exec(provider?.issuer ?? "") ?? [];
  if (url === undefined)
    missing.set("authentik:url", "the base URL of your Authentik: config.json names no issuer of one");
  if (provider) {
    missing.set("harden-zot:identity.slug", "a slug that Authentik does not have yet, see docs/adopting.md");
    missing.set("harden-zot:identity.clientId", "a client id that Authentik does not have yet");
  }
  return {
    url: url ?? "https://authentik.invalid",
    identity: { slug: slug ?? "zot", clientId: provider?.clientid ?? "zot" },
  };
}
