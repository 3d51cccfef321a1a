import { satisfies } from "semver";

/** A weakness of zot itself that bears on what this project promises. */
interface Weakness {
  id: string;
  /** Versions that have it, as a semver range. */
  affected: string;
  what: string;
  /** Where that is said. */
  source: string;
}

/** Looked up in November 2026: nothing newer was published than zot 2.1.20 and these. */
const WEAKNESSES: readonly Weakness[] = [
  {
    id: "CVE-2024-39897",
    affected: "<2.1.0",
    what: "with dedupe, whoever may read one repository can read any blob",
    source: "https://github.com/project-zot/zot/security/advisories/GHSA-55r9-5mx9-qq7r",
  },
  {
    id: "CVE-2025-23208",
    affected: "<2.1.2",
    what: "who is taken out of a group at the identity provider keeps its rights",
    source: "https://github.com/project-zot/zot/security/advisories/GHSA-c9p4-xwr9-rfhx",
  },
  {
    id: "CVE-2026-31801",
    affected: ">=1.3.0 <2.1.15",
    what: "who may push new tags can overwrite `latest`",
    source: "https://github.com/project-zot/zot/security/advisories/GHSA-85jx-fm8m-x8c6",
  },
  {
    id: "CVE-2026-61833",
    affected: "<2.1.18",
    what: "a bearer token that may push can delete (http.auth.bearer, which this project does not set)",
    source: "https://github.com/project-zot/zot/security/advisories/GHSA-qg67-7m6v-qg25",
  },
  {
    id: "multi-tag-push",
    affected: ">=2.1.16 <2.1.19",
    what: "who may push new tags can move existing ones (PUT manifests/<digest>?tag=)",
    source: "measured; docs/facts.md, versions",
  },
];

export function weaknessesOf(version: string): Weakness[] {
  return WEAKNESSES.filter(({ affected }) => satisfies(version, affected, { includePrerelease: true }));
}
