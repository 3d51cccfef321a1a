import { OperatorError } from "../operator/error";
import type { AccessSettings, CiIdentity } from "../settings/access";
import type { RegistrySettings } from "../settings/registry";
import { wholly } from "../settings/vocabulary";
import type { AccessControl, Action, Condition, Policy, RepositoryPolicy } from "../zot/types";
import { supports } from "../zot/versions";
import { type Place, placesOf } from "./grants";
import { contains, expandAlternatives } from "./patterns";

export interface AccessRules {
  access: AccessSettings;
  ci: readonly CiIdentity[];
  registry: Pick<RegistrySettings, "version" | "metrics" | "pullThrough">;
}

export type Role = CiIdentity["role"];

/** Tag rules as they hold in one place. */
export interface TagRules {
  mutable: readonly string[];
  format?: string | undefined;
  message?: string | undefined;
}

/**
 * Access rules -> zot's accessControl. zot applies the longest matching pattern alone, so every pattern restates
 * what holds there (./grants.ts), and a pull-through cache is emitted as read-only.
 * @throws OperatorError where zot cannot express the rules
 */
export function compileAccess(rules: AccessRules): AccessControl {
  const { access, registry } = rules;
  const grants = grantsByPattern(rules);
  const repositories: Record<string, RepositoryPolicy> = {};
  for (const place of placesIn(rules)) repositories[place.emitted] = repositoryPolicy(place, rules, grants);
  return {
    repositories,
    adminPolicy: { groups: [access.admins.group], actions: ["read", "delete"] },
    ...metricsPolicy(registry),
  };
}

/** Widest first, then the settings' patterns in alphabetical order, then the caches. */
function placesIn({ access, ci, registry }: AccessRules): Place[] {
  const patterns = new Set([...access.public, ...access.private]);
  for (const { repositories } of [...ci, ...access.groups, ...access.tags.overrides]) {
    for (const pattern of repositories) patterns.add(pattern);
  }
  return placesOf(["**", ...[...patterns].sort(), ...registry.pullThrough.map(cachePattern)]);
}

export const cachePattern = ({ name }: { name: string }) => `${name}/**`;

/** Groups by role, in alphabetical order. */
export type Groups = Partial<Record<Role, string[]>>;

function grantsByPattern({ access, ci }: AccessRules): ReadonlyMap<string, Groups> {
  const byPattern = new Map<string, Groups>();
  const inOrder = [...ci, ...access.groups].sort((a, b) => (a.group < b.group ? -1 : 1));
  for (const { group, role, repositories } of inOrder) {
    for (const pattern of repositories) {
      const groups = byPattern.get(pattern) ?? {};
      const members = groups[role] ?? [];
      if (members.at(-1) !== group) members.push(group);
      groups[role] = members;
      byPattern.set(pattern, groups);
    }
  }
  return byPattern;
}

function repositoryPolicy(
  place: Place,
  { access, registry }: AccessRules,
  grants: ReadonlyMap<string, Groups>,
): RepositoryPolicy {
  const holds = (patterns: readonly string[]) => patterns.some((pattern) => within(pattern, place.pattern));
  const isPrivate = holds(access.private);
  const isCache = holds(registry.pullThrough.map(cachePattern));
  const here = place.holding.flatMap((pattern) => grants.get(pattern) ?? []);
  const read: RepositoryPolicy = {
    anonymousPolicy: !isPrivate && holds(access.public) ? access.anonymous : [],
    defaultPolicy: isPrivate ? [] : ["read"],
  };
  const readers = isPrivate ? policyFor(here, ANY_ROLE, "read") : [];
  const tags = tagRulesAt(place.pattern, access);
  const policies = isCache ? readers : [...readers, ...writers(here, tags), ...breakGlass(access, tags)];
  return policies.length === 0 && !isPrivate ? read : { ...read, policies };
}

/** Whether all repositories of the inner pattern are among those of the outer, which may have alternatives. */
const within = (outer: string, inner: string) => expandAlternatives(outer).some((part) => contains(part, inner));

const ANY_ROLE: readonly Role[] = ["reader", "publisher", "maintainer", "deleter"];

/** What the roles of the groups give besides reading. */
export function writers(here: readonly Groups[], tags: TagRules): Policy[] {
  const move = mutableTagRule(tags);
  return [
    ...policyFor(here, ["publisher", "maintainer"], "create", newTagRule(tags)),
    ...(move ? policyFor(here, ["maintainer"], "update", move) : []),
    ...policyFor(here, ["publisher"], "update", NEVER_AGAIN),
    ...policyFor(here, ["deleter"], "delete"),
  ];
}

/** May create any tag; reading and deleting are theirs everywhere through adminPolicy. */
function breakGlass({ admins }: AccessSettings, tags: TagRules): Policy[] {
  const move = mutableTagRule(tags);
  return [
    { groups: [admins.group], actions: ["create"] },
    ...(move ? [{ groups: [admins.group], actions: ["update"], conditions: [move] }] : []),
  ];
}

/** One policy for the groups that have one of the roles; none if there is no such group. */
export function policyFor(here: readonly Groups[], roles: readonly Role[], action: Action, rule?: Condition): Policy[] {
  const lists = here.flatMap((groups) => roles.flatMap((role) => (groups[role] ? [groups[role]] : [])));
  const groups = lists.length === 1 ? (lists[0] ?? []) : [...new Set(lists.flat())].sort();
  if (groups.length === 0) return [];
  return [{ groups, actions: [action], ...(rule ? { conditions: [rule] } : {}) }];
}

/**
 * The general rules, or those of the narrowest override that holds in the place.
 * @throws OperatorError when two overrides hold and neither lies within the other
 */
export function tagRulesAt(pattern: string, { tags }: AccessSettings): TagRules {
  const holding = tags.overrides.flatMap((override) =>
    override.repositories.filter((outer) => within(outer, pattern)).map((outer) => ({ outer, override })),
  );
  const narrowest = holding.filter(({ outer }) => holding.every((other) => within(other.outer, outer)));
  const [first] = narrowest;
  if (holding.length > 0 && (first === undefined || narrowest.some(({ override }) => override !== first.override))) {
    throw new OperatorError(
      `harden-zot:access.tags.overrides: ${holding.map(({ outer }) => outer).join(" and ")} both hold for ${pattern} and neither is the narrower; give ${pattern} an override of its own`,
    );
  }
  return first?.override ?? tags;
}

function newTagRule({ mutable, format, message }: TagRules): Condition | undefined {
  if (format === undefined) return undefined;
  const orMutable = mutable.length > 0 ? ` (or ${mutable.join(", ")})` : "";
  return {
    // Blob uploads ask with no reference type: without the first clause they would be refused.
    expression: `req.referenceType != "tag" || req.tag in ${JSON.stringify(mutable)} || req.tag.matches(r'${wholly(format)}')`,
    message: message ?? `this registry takes new tags that match ${format}${orMutable}; push under such a tag`,
  };
}

/** undefined: no tag may move. */
function mutableTagRule({ mutable }: TagRules): Condition | undefined {
  if (mutable.length === 0) return undefined;
  return {
    // A push by digest asks for every tag by name, and then for the digest.
    expression: `req.referenceType == "digest" || req.tag in ${JSON.stringify(mutable)}`,
    message: `this tag is immutable; only ${mutable.join(", ")} may move; push a new tag instead`,
  };
}

/** The condition of a policy that grants nothing. */
export const NEVER = "false";

/** There for its message alone, without which a publisher is not told why a push is refused. */
const NEVER_AGAIN: Condition = {
  expression: NEVER,
  message: "this tag exists already and may not be pushed again by this account; push a new tag instead",
};

function metricsPolicy({ metrics, version }: AccessRules["registry"]): Pick<AccessControl, "metrics"> {
  if (metrics === "off") return {};
  if (metrics !== "anonymous") return { metrics: { users: metrics.users } };
  return { metrics: supports(version, "metrics.anonymousPolicy") ? { anonymousPolicy: ["read"] } : { users: [""] } };
}
