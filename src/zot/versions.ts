import { gte } from "semver";
import type { ZotConfig } from "./types";

/** First zot release with each thing the rendered config relies on (docs/facts.md, versions). */
export const SINCE = {
  "claimMapping.username": "2.1.11",
  "claimMapping.groups": "2.1.17",
  "conditions on policies": "2.1.17",
  "metrics.anonymousPolicy": "2.1.18",
  // From here on by what upstream says of releases yet to come; measured on a build of its main branch.
  "blob reads that create nothing": "2.1.21",
  "five more keys of sync": "2.1.21",
  "combined authentication": "2.1.22",
} as const;

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
