import { OperatorError } from "../settings/errors";
import type { RegistrySettings } from "../settings/registry";
import type { Settings } from "../settings/settings";
import { compileAccess } from "./access/compile";
import { withProof } from "./proof";
import type { AuthConfig, ExtensionsConfig, SyncRegistry, ZotConfig } from "./types";
import { requireHardenable } from "./versions";

/** Where the registry host keeps what config.json only refers to, and who it trusts. */
export interface ConfigReferences {
  /** Issuer exactly as its discovery document spells it. */
  issuer: string;
  /** JSON `{ clientid, clientsecret }`, 0600. */
  credentialsFile: string;
  /** JSON `{ hashKey, encryptKey }`, 0600; without it every restart ends every session. */
  sessionKeysFile: string;
}

/**
 * The whole config.json of the hardened registry. Holds no secret: secrets are files it refers to.
 * @throws OperatorError when this zot version cannot do what the settings ask
 */
export function renderConfig(settings: Settings, references: ConfigReferences): ZotConfig {
  const { registry } = settings;
  requireHardenable(registry.version, registry.allowVulnerableVersion);
  const config: ZotConfig = {
    distSpecVersion: "1.1.1",
    storage: registry.storage,
    http: {
      address: registry.listen.address,
      port: String(registry.listen.port),
      externalUrl: registry.externalUrl,
      realm: registry.realm,
      ...(registry.compat.length > 0 ? { compat: registry.compat } : {}),
      auth: authentication(references),
      accessControl: compileAccess(settings),
    },
    log: { level: registry.logLevel },
    extensions: extensions(registry),
  };
  return withProof(withExtra(config, registry.extraConfig));
}

/** config.json as it is delivered: two-space JSON, keys in the order above, one newline at the end. */
export function serializeConfig(config: ZotConfig): string {
  return `${JSON.stringify(config, null, 2)}\n`;
}

function authentication(references: ConfigReferences): AuthConfig {
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
    sessionKeysFile: references.sessionKeysFile,
  };
}

function extensions(registry: RegistrySettings): ExtensionsConfig {
  const { metrics, pullThrough, search, ui } = registry;
  return {
    ...(metrics === "off" ? {} : { metrics: { enable: true, prometheus: { path: "/metrics" } } }),
    ...(pullThrough.length === 0 ? {} : { sync: { enable: true, registries: pullThrough.map(onDemand) } }),
    ...(search ? { search: { enable: true, ...(search.cve ? { cve: search.cve } : {}) } } : {}),
    ...(ui ? { ui: { enable: true } } : {}),
  };
}

function onDemand({ name, url, tlsVerify }: RegistrySettings["pullThrough"][number]): SyncRegistry {
  return { urls: [url], onDemand: true, tlsVerify, content: [{ prefix: "**", destination: `/${name}` }] };
}

function withExtra(config: ZotConfig, extra: Record<string, unknown>): ZotConfig {
  if (JSON.stringify(extra).includes("clientsecret")) {
    throw new OperatorError(
      "harden-zot:registry.extraConfig holds a clientsecret: config.json is shown in previews and kept in plain state; the stack delivers the client secret as a file of its own, remove it here",
    );
  }
  return merge(config, extra) as ZotConfig;
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
