import { lt } from "semver";
import { OperatorError } from "../operator/error";
import type { ZotConfig } from "../zot/types";
import { LATER_KEYS_SINCE, laterKeyIn, SINCE, supports } from "../zot/versions";

/** Below this a push by digest with `?tag=` moves a tag with `create` alone, so tags are not immutable. */
const IMMUTABLE_SINCE = "2.1.19";

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
