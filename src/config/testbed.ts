import type { RepositoryPolicy } from "../zot/types";
import { type AccessRules, type Groups, policyFor, tagRulesAt, writers } from "./compile";

/** Where verification writes (src/verify/probe.ts): nobody else needs to, and nobody but CI and the admins can read it. */
export const PROBE_REPOSITORY = "harden-zot/probe";
/** CI may put blobs here and not read them: a mount from here has to fail. */
export const SEALED_REPOSITORY = "harden-zot/probe-sealed";
/** CI may read here and nobody may write: with dedupe on, a HEAD for a blob creates it all the same. */
export const LINKED_REPOSITORY = "harden-zot/probe-linked";

const PUSHERS = ["publisher", "maintainer"] as const;

/**
 * Rights of the CI groups that may push somewhere, in the repositories that verification writes to: under the same tag
 * rules as everywhere, so that it is those which are tried. Empty when no CI identity may push.
 */
export function probePolicies({ access, ci }: AccessRules): Record<string, RepositoryPolicy> {
  const groups: Groups = Object.fromEntries(
    PUSHERS.map((role) => [role, [...new Set(ci.filter((one) => one.role === role).map(({ group }) => group))].sort()]),
  );
  const closed = { anonymousPolicy: [], defaultPolicy: [] };
  const read = policyFor([groups], PUSHERS, "read");
  if (read.length === 0) return {};
  return {
    [PROBE_REPOSITORY]: {
      ...closed,
      policies: [...read, ...writers([groups], tagRulesAt(PROBE_REPOSITORY, access))],
    },
    [SEALED_REPOSITORY]: { ...closed, policies: policyFor([groups], PUSHERS, "create") },
    [LINKED_REPOSITORY]: { ...closed, policies: read },
  };
}
