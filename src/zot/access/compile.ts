import type { AccessSettings, CiIdentity } from "../../settings/access";
import type { RegistrySettings } from "../../settings/registry";
import type { AccessControl, Condition, Policy, RepositoryPolicy } from "../types";
import { supports } from "../versions";

export interface AccessRules {
  access: AccessSettings;
  ci: readonly CiIdentity[];
  registry: Pick<RegistrySettings, "version" | "metrics" | "pullThrough">;
}

/**
 * Access rules -> zot's accessControl. zot applies the longest matching pattern alone, so every pattern
 * restates what holds there.
 */
export function compileAccess({ access, ci, registry }: AccessRules): AccessControl {
  const read: RepositoryPolicy = { anonymousPolicy: access.anonymous, defaultPolicy: ["read"] };
  const patterns = [...new Set(ci.flatMap((identity) => identity.repositories))].sort();
  const repositories: Record<string, RepositoryPolicy> = { "**": { ...read, policies: adminPolicies(access) } };
  for (const pattern of patterns) {
    const writers = ci.filter((identity) => identity.repositories.includes(pattern));
    repositories[pattern] = {
      ...read,
      policies: [...writers.flatMap((writer) => pushPolicies(writer, access)), ...adminPolicies(access)],
    };
  }
  for (const cache of registry.pullThrough) repositories[`${cache.name}/**`] = read;
  return {
    repositories,
    adminPolicy: { groups: [access.admins.group], actions: ["read", "delete"] },
    ...metricsPolicy(registry),
  };
}

function pushPolicies(identity: CiIdentity, access: AccessSettings): Policy[] {
  const create: Policy = { groups: [identity.group], actions: ["create"], ...conditions(newTagRule(access)) };
  const update: Policy = { groups: [identity.group], actions: ["update"], conditions: [mutableTagRule(access)] };
  return identity.role === "maintainer" ? [create, update] : [create];
}

/** Break-glass may create any tag; deleting is theirs everywhere through adminPolicy. */
function adminPolicies(access: AccessSettings): Policy[] {
  const group = [access.admins.group];
  return [
    { groups: group, actions: ["create"] },
    { groups: group, actions: ["update"], conditions: [mutableTagRule(access)] },
  ];
}

const conditions = (rule: Condition | undefined) => (rule ? { conditions: [rule] } : {});

function newTagRule({ tags }: AccessSettings): Condition | undefined {
  if (tags.format === undefined) return undefined;
  return {
    // Blob uploads ask with no reference type: without the first clause they would be refused.
    expression: `req.referenceType != "tag" || req.tag in ${JSON.stringify(tags.mutable)} || req.tag.matches(r'${tags.format}')`,
    message: `this registry takes new tags that match ${tags.format}${tags.mutable.length > 0 ? ` (or ${tags.mutable.join(", ")})` : ""}; push under such a tag`,
  };
}

function mutableTagRule({ tags }: AccessSettings): Condition {
  return {
    expression: `req.referenceType == "digest" || req.tag in ${JSON.stringify(tags.mutable)}`,
    message: `this tag is immutable${tags.mutable.length > 0 ? `; only ${tags.mutable.join(", ")} may move` : ""}; push a new tag instead`,
  };
}

function metricsPolicy({ metrics, version }: AccessRules["registry"]): Pick<AccessControl, "metrics"> {
  if (metrics === "off") return {};
  if (metrics !== "anonymous") return { metrics: { users: metrics.users } };
  return { metrics: supports(version, "metrics.anonymousPolicy") ? { anonymousPolicy: ["read"] } : { users: [""] } };
}
