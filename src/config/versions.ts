import { gte, lt } from "semver";
import { OperatorError } from "../operator/error";
import type { ZotConfig } from "../zot/types";

/** First zot release with each thing the rendered config relies on (docs/facts.md, versions). */
const SINCE = {
  "claimMapping.username": "2.1.11",
  "claimMapping.groups": "2.1.17",
  "conditions on policies": "2.1.17",
  "metrics.anonymousPolicy": "2.1.18",
  // From here on by what upstream says of releases yet to come; measured on a build of its main branch.
  "blob reads that create nothing": "2.1.21",
  "five more keys of sync": "2.1.21",
  "combined authentication": "2.1.22",
} as const;

/** Below this a push by digest with `?tag=` moves a tag with `create` alone, so tags are not immutable. */
const IMMUTABLE_SINCE = "2.1.19";

/** Keys of extensions.sync.registries[] that zot 2.1.20 refuses, lower-cased as its loader has them. */
const LATER_SYNC_KEYS = ["manifestcheckinterval", "reqconcurrent", "reqpersec", "disablehttp2", "maxidleconnsperhost"];

export type ZotFeature = keyof typeof SINCE;

export function supports(version: string, feature: ZotFeature): boolean {
  return gte(version, SINCE[feature]);
}

/** The first key of a configuration that zot 2.1.20 does not know, by its path; undefined where there is none. */
export function laterKeyIn({ extensions }: ZotConfig): string | undefined {
  const registries: object[] = extensions?.sync?.registries ?? [];
  const found = registries.flatMap((registry, index) =>
    Object.keys(registry)
      .filter((key) => LATER_SYNC_KEYS.includes(key.toLowerCase()))
      .map((key) => `extensions.sync.registries[${index}].${key}`),
  );
  return found[0];
}

/** First release that knows all of a configuration whose keys are those of 2.1.20 and the five of sync. */
export const LATER_KEYS_SINCE = SINCE["five more keys of sync"];

/** @throws OperatorError when the configuration has a key that this version's loader refuses */
export function requireKnownKeys(config: ZotConfig, version: string): void {
  const key = laterKeyIn(config);
  if (key === undefined || supports(version, "five more keys of sync")) return;
  throw new OperatorError(
    `harden-zot:registry.extraConfig.${key} needs zot ${LATER_KEYS_SINCE} or later, and harden-zot:registry.version = ${version}, which does not start with it: upgrade zot on the hosts and set the version, or leave the key out`,
  );
}

/**
 * @throws OperatorError when the version cannot be hardened at all, or only by accepting a known hole
 */
export function requireHardenable(version: string, allowVulnerable: boolean): void {
  if (!supports(version, "conditions on policies")) {
    throw new OperatorError(
      `harden-zot:registry.version = ${version}: tag rules and groups from OIDC need zot ${SINCE["conditions on policies"]} or later; upgrade zot on the hosts first`,
    );
  }
  if (lt(version, IMMUTABLE_SINCE) && !allowVulnerable) {
    throw new OperatorError(
      `harden-zot:registry.version = ${version}: before ${IMMUTABLE_SINCE} anyone who may push a new tag can also move an existing one (PUT manifests/<digest>?tag=), so tags are not immutable; upgrade zot, or set harden-zot:registry.allowVulnerableVersion: true if you accept that`,
    );
  }
}
