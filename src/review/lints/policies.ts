import { type AccessRules, tagRulesAt } from "../../config/compile";
import { sampleName } from "../../config/patterns";
import {
  type CompiledCondition,
  ConditionError,
  type ConditionRequest,
  compileCondition,
  type Limit,
} from "../../zot/cel";
import type { LoadedAccessControl, LoadedPolicy } from "../../zot/load";
import { ruleOf } from "./finding";

/** What several lints ask of policies. */

interface NamedPolicy {
  /** Path within http.accessControl. */
  rule: string;
  policy: LoadedPolicy;
}

/** Every policy under the name its place gives it. */
export function policiesOf({ repositories, adminPolicy }: LoadedAccessControl): NamedPolicy[] {
  const inRepositories = [...repositories].flatMap(([pattern, { policies }]) =>
    policies.map((policy, index) => ({ rule: `${ruleOf(pattern)}.policies[${index}]`, policy })),
  );
  return [...inRepositories, { rule: "adminPolicy", policy: adminPolicy }];
}

export const isNobody = ({ users, groups }: LoadedPolicy) => users.length + groups.length === 0;

export const isAnonymous = (policy: LoadedPolicy) => policy.users.includes("");

/** `user bob`, `group admins`. */
export const whoIn = ({ users, groups }: Pick<LoadedPolicy, "users" | "groups">) => [
  ...users.map((user) => `user ${user}`),
  ...groups.map((group) => `group ${group}`),
];

const SOME_DIGEST = `sha256:${"0".repeat(64)}`;

/** Tags to try an immutability rule with; those that the rule itself names are tried too. */
const VERSIONS = ["v1.2.3-abcdef0", "v1.2.3", "1.2.3", "some-tag"];

export const mutableTagsAt = (pattern: string, { access }: AccessRules) =>
  tagRulesAt(sampleName(pattern), access).mutable;

/**
 * What the policy lets the action be done to in that place, beyond mutable tags, in words; undefined where its conditions show
 * by their shape that there is nothing.
 */
export function permitted(
  policy: LoadedPolicy,
  action: "update" | "delete",
  pattern: string,
  mutable: readonly string[],
): string | undefined {
  if (!policy.actions.includes(action)) return undefined;
  const conditions = policy.conditions.map(({ expression }) => compiledFrom(expression));
  if (conditions.some((condition) => condition === undefined || keepsTo(condition.limit, action, mutable)))
    return undefined;
  const literals = policy.conditions.flatMap(
    ({ expression }) => expression.match(/(?<=["'])[\w.-]{1,128}(?=["'])/g) ?? [],
  );
  // A digest takes all of its tags with it; an update of a digest is asked for beside that of its tags.
  const digests = action === "delete" ? [SOME_DIGEST] : [];
  const tags = [...VERSIONS, ...literals, ...digests].filter((tag) => !mutable.includes(tag));
  const tag = tags.find((tag) =>
    conditions.every((condition) => condition && holds(condition, policy, action, sampleName(pattern), tag)),
  );
  return tag === undefined ? "tags, by a condition that is not limited to mutable ones" : `a tag such as ${tag}`;
}

/** An update of a digest is asked for beside that of its tags; a delete of one takes its tags with it. */
const keepsTo = (limit: Limit | undefined, action: string, mutable: readonly string[]) =>
  limit?.tags.every((tag) => mutable.includes(tag)) && (action === "update" || !limit.digests);

const compiled = new Map<string, CompiledCondition | undefined>();

/** Undefined for a condition that does not compile, which grants nothing. */
function compiledFrom(expression: string): CompiledCondition | undefined {
  if (!compiled.has(expression)) compiled.set(expression, compileOrNot(expression));
  return compiled.get(expression);
}

/** A condition that does not evaluate grants nothing. */
function holds(
  condition: CompiledCondition,
  policy: LoadedPolicy,
  action: string,
  repository: string,
  tag: string,
): boolean {
  try {
    return condition.holds(requestFor(policy, action, repository, tag));
  } catch {
    return false;
  }
}

function compileOrNot(expression: string): CompiledCondition | undefined {
  try {
    return compileCondition(expression);
  } catch (error) {
    if (error instanceof ConditionError) return undefined;
    throw error;
  }
}

function requestFor(policy: LoadedPolicy, action: string, repository: string, reference: string): ConditionRequest {
  const isDigest = reference.includes(":");
  return {
    time: new Date(),
    method: action === "delete" ? "DELETE" : "PUT",
    userAgent: "any",
    action,
    repository,
    reference,
    referenceType: isDigest ? "digest" : "tag",
    tag: isDigest ? "" : reference,
    digest: isDigest ? reference : "",
    user: { username: policy.users[0] ?? "any", groups: policy.groups },
    auth: { anonymous: false, admin: false },
    client: { ip: "127.0.0.1", forwardedFor: [] },
    tls: { enabled: true, version: "1.3" },
    claims: {},
  };
}
