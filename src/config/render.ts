import { OperatorError } from "../operator/error";
import type { RegistrySettings } from "../settings/registry";
import type { Settings } from "../settings/settings";
import { isObject } from "../zot/file/decode";
import type { AuthConfig, ExtensionsConfig, SyncRegistry, ZotConfig } from "../zot/types";
import { compileAccess } from "./compile";
import { withProof } from "./proof";
import { clusterOf, sessionsOf, sharedStorage } from "./scale-out";
import { probePolicies } from "./testbed";
import { requireTimeouts } from "./timeouts";
import { requireHardenable, requireKnownKeys } from "./versions";

/** Where the registry host keeps what config.json only refers to, and who it trusts. */
export interface ConfigReferences {
  /** Issuer exactly as its discovery document spells it. */
  issuer: string;
  /** JSON `{ clientid, clientsecret }`, 0600. */
  credentialsFile: string;
  /** JSON `{ hashKey, encryptKey }`, 0600; without it every restart ends every session. Not named with sessions in redis. */
  sessionKeysFile: string;
}

/**
 * The whole config.json of the hardened registry. Holds no secret: secrets are files it refers to.
 * @throws OperatorError when this zot version cannot do what the settings ask
 */
export function renderConfig(settings: Settings, references: ConfigReferences): ZotConfig {
  const { registry } = settings;
  requireHardenable(registry.version, registry.allowVulnerableVersion);
  requireTimeouts(registry.extraConfig);
  const config: ZotConfig = {
    distSpecVersion: "1.1.1",
    storage: { ...registry.storage, ...sharedStorage(registry) },
    http: {
      // zot joins address and port with a colon (2.1.20).
      address: registry.listen.address.includes(":") ? `[${registry.listen.address}]` : registry.listen.address,
      port: String(registry.listen.port),
      externalUrl: registry.externalUrl,
      realm: registry.realm,
      // Both: with one alone a layer that takes longer than the other's 60 s is cut all the same.
      readTimeout: registry.timeouts.read,
      writeTimeout: registry.timeouts.write,
      ...(registry.compat.length > 0 ? { compat: registry.compat } : {}),
      auth: authentication(references, registry),
      accessControl: compileAccess(settings),
    },
    log: { level: registry.logLevel },
    extensions: extensions(registry),
    ...clusterOf(registry),
  };
  const whole = withExtra(config, registry.extraConfig);
  requireKnownKeys(whole, registry.version);
  return withProof(whole, probePolicies(settings));
}

/**
 * What decides about access: known before any secret exists. Neither the issuer nor the files it refers to do.
 * @throws OperatorError as renderConfig does
 */
export function renderAccess(settings: Settings): ZotConfig {
  return renderConfig(settings, { issuer: settings.authentikUrl, credentialsFile: "", sessionKeysFile: "" });
}

/** config.json as it is delivered: two-space JSON, keys in the order above, one newline at the end. */
export function serializeConfig(config: ZotConfig): string {
  return `${JSON.stringify(config, null, 2)}\n`;
}

function authentication(references: ConfigReferences, registry: RegistrySettings): AuthConfig {
  return {
    openid: {
      providers: {
        oidc: {
          name: "Authentik",
          issuer: references.issuer,
          credentialsFile: references.credentialsFile,
          scopes: ["openid", "email", "profile"],
          // A service account has no e-mail address, which is zot's default user name.
          claimMapping: { username: "preferred_username", groups: "groups" },
        },
      },
    },
    apikey: true,
    ...(sessionsOf(registry) ?? { sessionKeysFile: references.sessionKeysFile }),
    // zot does not know that a proxy speaks TLS for it, and would leave Secure off its session cookie.
    ...(registry.externalUrl.startsWith("https:") ? { secureSession: true } : {}),
  };
}

function extensions(registry: RegistrySettings): ExtensionsConfig {
  const { metrics, pullThrough, scaleOut, search, storage, ui } = registry;
  const downloads = scaleOut?.s3 ? { downloadDir: `${storage.rootDirectory}/sync` } : {};
  return {
    ...(metrics === "off" ? {} : { metrics: { enable: true, prometheus: { path: "/metrics" } } }),
    ...(pullThrough.length === 0
      ? {}
      : { sync: { enable: true, ...downloads, registries: pullThrough.map(onDemand) } }),
    ...(search ? { search: { enable: true, ...(search.cve ? { cve: search.cve } : {}) } } : {}),
    ...(ui ? { ui: { enable: true } } : {}),
  };
}

function onDemand({ name, url, tlsVerify }: RegistrySettings["pullThrough"][number]): SyncRegistry {
  return { urls: [url], onDemand: true, tlsVerify, content: [{ prefix: "**", destination: `/${name}` }] };
}

function withExtra(config: ZotConfig, extra: Record<string, unknown>): ZotConfig {
  const secret = findSecret(extra);
  if (secret !== undefined) {
    throw new OperatorError(
      `harden-zot:registry.extraConfig.${secret} is a secret: config.json is shown in previews and kept in plain state; remove it here. The stack delivers the client secret as a file of its own; zot takes S3 keys from its environment and a redis without a password (docs/scale-out.md).`,
    );
  }
  return merge(config, extra) as ZotConfig;
}

/** Keys that zot itself blots out of its log (zot 2.1.20, isSensitiveConfigMapKey), and passwords in URLs, which it does not. */
const SECRET = /^(accesskey|secretkey|password|secret|token|clientsecret|sentinelpassword|authorization|accountkey)$/;

/** Path of the first secret within a configuration. */
function findSecret(config: Record<string, unknown>): string | undefined {
  for (const [key, value] of Object.entries(config)) {
    if (SECRET.test(key.toLowerCase().replaceAll(/[_-]/g, ""))) return key;
    if (typeof value === "string" && /:\/\/[^/]*@/.test(value)) return key;
    const inner = typeof value === "object" && value !== null ? findSecret({ ...value }) : undefined;
    if (inner !== undefined) return `${key}.${inner}`;
  }
  return undefined;
}

/** Objects are merged key by key; anything else, lists too, is replaced. */
function merge(base: unknown, extra: unknown): unknown {
  if (!isObject(base) || !isObject(extra)) return extra;
  return Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(extra)])].map((key) => [
      key,
      key in extra ? merge(base[key], extra[key]) : base[key],
    ]),
  );
}
