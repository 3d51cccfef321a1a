import { gte, lt } from "semver";
import { OperatorError } from "../settings/errors";

/** First zot release with each thing the rendered config relies on (docs/facts.md, versions). */
const SINCE = {
  "claimMapping.username": "2.1.11",
  "claimMapping.groups": "2.1.17",
  "conditions on policies": "2.1.17",
  "metrics.anonymousPolicy": "2.1.18",
  // From here on by what upstream says of releases yet to come; measured on a build of its main branch.
  "blob reads that create nothing": "2.1.21",
  "manifestCheckInterval, reqConcurrent, reqPerSec, disableHTTP2 and maxIdleConnsPerHost of caches": "2.1.21",
  "combined authentication": "2.1.22",
} as const;

/** Below this a push by digest with `?tag=` moves a tag with `create` alone, so tags are not immutable. */
const IMMUTABLE_SINCE = "2.1.19";

export type ZotFeature = keyof typeof SINCE;

export function supports(version: string, feature: ZotFeature): boolean {
  return gte(version, SINCE[feature]);
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
