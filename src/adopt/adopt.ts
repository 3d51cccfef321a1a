import { renderConfig } from "../config/render";
import { issuerUrl } from "../identity/urls";
import { OperatorError } from "../operator/error";
import { parseSettings, type RawSettings, type Settings } from "../settings/settings";
import { ConditionError } from "../zot/cel";
import type { ZotConfig } from "../zot/types";
import { accessSection, type FoundAccess } from "./access";
import { type AccessChange, compareAccess } from "./compare";
import { effective } from "./effective";
import { extraConfig } from "./extra";
import type { FoundConfig } from "./read";
import { identitySections, type Missing, registrySection, type Section } from "./registry";

export interface Adoption {
  /** For Pulumi.<stack>.yaml. */
  settings: RawSettings;
  /** What config.json does not say and the operator must, by key. */
  missing: Missing;
  access: FoundAccess;
  /** The configuration found, and the one that the settings make of it; both in effective form. */
  found: ZotConfig;
  rendered: ZotConfig;
  /** Who gains and who loses what by the first `up`. */
  accessChanges: AccessChange[];
  secrets: string[];
}

/**
 * The settings that reproduce a configuration as far as settings can, with everything that has none in extraConfig.
 * @throws OperatorError when its rules cannot be said in settings at all, or zot itself would not load them
 */
export function adopt(given: FoundConfig): Adoption {
  try {
    return adoptWith(given, true) ?? (adoptWith(given, false) as Adoption);
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    throw new OperatorError(
      `a condition of its access rules does not compile, and zot would not load it: ${error.message}`,
    );
  }
}

/** @param byPlace whether every pattern has tag rules of its own; undefined when these contradict each other */
function adoptWith({ config, secrets }: FoundConfig, byPlace: boolean): Adoption | undefined {
  const found = effective(config);
  const missing: Missing = new Map();
  const registry = registrySection(found, missing);
  const { url, identity } = identitySections(found, missing);
  const caches = (registry.pullThrough ?? []) as { name: string }[];
  const access = accessSection(
    found,
    caches.map(({ name }) => name),
    byPlace,
  );
  // Groups of htpasswd users are in no identity provider.
  const existing = found.http.auth?.openid ? access.existing : [];
  if (!access.hasAdmins)
    missing.set(
      "harden-zot:access.admins",
      "the group of those who may delete; the stack makes it, empty, unless it is one of harden-zot:identity.existingGroups. Nobody administers this registry yet",
    );
  if (!found.http.auth)
    missing.set("harden-zot:ci", "who pushes, such as [{ name: zot-ci, group: registry-ci, repositories: [team/**] }]");
  const rough: RawSettings = {
    "authentik:url": url,
    "harden-zot:registry": registry,
    "harden-zot:hosts": [hostToFillIn(missing)],
    "harden-zot:identity": { ...identity, ...(existing.length > 0 ? { existingGroups: existing } : {}) },
    "harden-zot:access": access.section,
    "harden-zot:ci": [],
  };
  const draft = rendering(rough, found, byPlace);
  if (draft === undefined) return undefined;
  const settings = { ...rough, "harden-zot:registry": withExtra(registry, extraConfig(found, effective(draft))) };
  const rendered = effective(rendering(settings, found, false) as ZotConfig);
  const accessChanges = compareAccess(found, rendered, access.forUsers);
  return { settings, missing, access, found, rendered, secrets, accessChanges };
}

function withExtra(registry: Section, extra: Section): Section {
  return Object.keys(extra).length > 0 ? { ...registry, extraConfig: extra } : registry;
}

/** With the names that the configuration found has for issuer and files, where it has any. */
function rendering(raw: RawSettings, { http }: ZotConfig, orNot: boolean): ZotConfig | undefined {
  const settings: Settings = parseSettings(raw);
  const { oidc } = http.auth?.openid?.providers ?? {};
  try {
    return renderConfig(settings, {
      issuer: issuerUrl(settings),
      credentialsFile: oidc?.credentialsFile ?? "oidc-credentials.json",
      sessionKeysFile: http.auth?.sessionKeysFile ?? "session-keys.json",
    });
  } catch (error) {
    if (orNot && error instanceof OperatorError) return undefined;
    throw error;
  }
}

const HOST = {
  address: ["registry-host.invalid", "host name or IP address, for SSH"],
  user: ["zot", "the user zot runs as, who owns configDirectory"],
  hostKey: ["ssh-ed25519 AAAA", "what `ssh-keyscan -t ed25519 HOST | cut -d ' ' -f 2-` prints"],
  zot: ["/usr/local/bin/zot", "where zot's binary is on the host"],
  configDirectory: ["/etc/zot", "the directory of this config.json on the host"],
  service: [{ manager: "systemd", name: "zot" }, "who runs zot, see docs/settings.md"],
} as const;

/** Nothing of a host is in its config.json. What stands here fails closed. */
function hostToFillIn(missing: Missing): Section {
  for (const [key, [, what]] of Object.entries(HOST)) missing.set(`harden-zot:hosts.${key}`, what);
  return Object.fromEntries(Object.entries(HOST).map(([key, [value]]) => [key, value]));
}
