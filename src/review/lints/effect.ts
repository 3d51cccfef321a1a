import { type AccessRules, cachePattern, tagRulesAt } from "../../config/compile";
import { commonNames, overlap, sampleName } from "../../config/patterns";
import { type CompiledCondition, ConditionError, type ConditionRequest, compileCondition } from "../../zot/cel";
import type { LoadedAccessControl, LoadedPolicy, LoadedRepository } from "../../zot/load";
import { compilePolicies } from "../../zot/policy";
import type { ZotConfig } from "../../zot/types";
import { supports } from "../../zot/versions";
import type { Finding, Linted, LintName } from "./lints";
import { lostGrants } from "./lost";
import { ruleOf } from "./text";

/** What the rules come to, once zot has chosen among them. */
export function lintEffect(linted: Linted): Finding[] {
  const { config, loaded, rules } = linted;
  const { accessControl, dedupe } = loaded;
  if (accessControl === undefined) return [];
  const { repositories } = accessControl;
  return [
    ...[...repositories].flatMap(([pattern, repository]) => [
      ...anonymousWrites(pattern, repository),
      ...overwrites(pattern, repository, rules),
      ...replacements(pattern, repository, rules),
    ]),
    ...administration(accessControl),
    ...writableCaches(config, accessControl, rules),
    ...ties([...repositories.keys()]),
    ...lostGrants(linted),
    ...headCreates(dedupe, accessControl, rules),
  ];
}

const found = (lint: LintName, rule: string, what: string, severity: Finding["severity"] = "error"): Finding => ({
  lint,
  severity,
  rule,
  what,
});

const WRITES = ["create", "update", "delete"];
const writesOf = (actions: readonly string[]) => actions.filter((action) => WRITES.includes(action));
const isAnonymous = (policy: LoadedPolicy) => policy.users.includes("");

function anonymousWrites(pattern: string, { anonymousPolicy, policies }: LoadedRepository): Finding[] {
  const say = (rule: string, actions: readonly string[]) =>
    writesOf(actions).map((action) => found("anonymous-write", rule, `anonymous clients may ${action}`));
  return [
    ...say(`${ruleOf(pattern)}.anonymousPolicy`, anonymousPolicy),
    ...policies.flatMap((policy, index) =>
      isAnonymous(policy) ? say(`${ruleOf(pattern)}.policies[${index}]`, policy.actions) : [],
    ),
  ];
}

const SOME_DIGEST = `sha256:${"0".repeat(64)}`;

/** Tags to try an immutability rule with; those that the rule itself names are tried too. */
const VERSIONS = ["v1.2.3-abcdef0", "v1.2.3", "1.2.3", "some-tag"];

function overwrites(pattern: string, repository: LoadedRepository, rules: AccessRules): Finding[] {
  const place = ruleOf(pattern);
  const mutable = tagRulesAt(sampleName(pattern), rules.access).mutable;
  const general = [
    ...(repository.defaultPolicy.includes("update") ? ["defaultPolicy"] : []),
    ...(repository.anonymousPolicy.includes("update") ? ["anonymousPolicy"] : []),
  ];
  return [
    ...general.map((name) => found("tag-overwrite", `${place}.${name}`, "update without a condition on the tag")),
    ...repository.policies.flatMap((policy, index) => {
      const tag = policy.actions.includes("update") ? permittedTag(policy, "update", pattern, mutable) : undefined;
      if (tag === undefined || isNobody(policy)) return [];
      const who = [...policy.users, ...policy.groups].join(", ");
      const severity = isBreakGlass(policy, rules) ? "warning" : "error";
      return [
        found("tag-overwrite", `${place}.policies[${index}]`, `${who} may overwrite a tag such as ${tag}`, severity),
      ];
    }),
  ];
}

const isNobody = ({ users, groups }: LoadedPolicy) => users.length + groups.length === 0;

const isBreakGlass = ({ users, groups }: LoadedPolicy, { access }: AccessRules) =>
  users.length === 0 && groups.every((group) => group === access.admins.group);

/** An immutable tag for which the policy grants the action. */
function permittedTag(
  policy: LoadedPolicy,
  action: string,
  pattern: string,
  mutable: readonly string[],
): string | undefined {
  const literals = policy.conditions.flatMap(
    ({ expression }) => expression.match(/(?<=["'])[\w.-]{1,128}(?=["'])/g) ?? [],
  );
  // A digest takes all of its tags with it; an update of a digest is asked for beside that of its tags.
  const digests = action === "delete" ? [SOME_DIGEST] : [];
  const tags = [...VERSIONS, ...literals, ...digests].filter((tag) => !mutable.includes(tag));
  return tags.find((tag) =>
    policy.conditions.every(({ expression }) => holds(expression, policy, action, pattern, tag)),
  );
}

const compiled = new Map<string, CompiledCondition | undefined>();

/** A condition that does not compile or evaluate grants nothing. */
function holds(expression: string, policy: LoadedPolicy, action: string, pattern: string, tag: string): boolean {
  if (!compiled.has(expression)) compiled.set(expression, compileOrNot(expression));
  try {
    return compiled.get(expression)?.holds(requestFor(policy, action, sampleName(pattern), tag)) === true;
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

/** The same group or user may delete and create. */
function replacements(pattern: string, repository: LoadedRepository, rules: AccessRules): Finding[] {
  const { policies, defaultPolicy } = repository;
  const mutable = tagRulesAt(sampleName(pattern), rules.access).mutable;
  const deleting = policies.filter(
    (policy) => policy.actions.includes("delete") && permittedTag(policy, "delete", pattern, mutable) !== undefined,
  );
  if (deleting.length === 0 && !defaultPolicy.includes("delete")) return [];
  const pushing = policies.filter(({ actions }) => actions.includes("create"));
  const creators = new Set(pushing.flatMap(({ users, groups }) => namesOf(users, groups)));
  const deleters = new Set(deleting.flatMap(({ users, groups }) => namesOf(users, groups)));
  const everyone = defaultPolicy.includes("create");
  const admins = `group ${rules.access.admins.group}`;
  const accounts = rules.ci.map(({ name, group }) => ({ name: `user ${name}`, names: namesOf([name], [group]) }));
  const both = [
    ...[...deleters].filter((name) => name !== admins && (everyone || creators.has(name))),
    // By name for the one, through the group for the other.
    ...accounts
      .filter(({ names }) => names.some((name) => deleters.has(name)) && names.some((name) => creators.has(name)))
      .filter(({ names }) => !names.some((name) => deleters.has(name) && creators.has(name)))
      .map(({ name }) => name),
  ];
  const generally = defaultPolicy.includes("delete") && (everyone || creators.size > 0) ? ["everyone logged in"] : [];
  return [...new Set([...both, ...generally])].map((name) =>
    found("tag-replace", ruleOf(pattern), `${name} may delete a tag and push it anew`),
  );
}

const namesOf = (users: readonly string[], groups: readonly string[]) => [
  ...users.map((user) => `user ${user}`),
  ...groups.map((group) => `group ${group}`),
];

function administration({ adminPolicy }: LoadedAccessControl): Finding[] {
  const missing = ["read", "delete"].filter((action) => !adminPolicy.actions.includes(action));
  return [
    ...(isNobody(adminPolicy) || missing.length > 0
      ? [
          found(
            "no-administrator",
            "adminPolicy",
            isNobody(adminPolicy) ? "names nobody" : `lacks ${missing.join(" and ")}`,
          ),
        ]
      : []),
    ...(isAnonymous(adminPolicy)
      ? [found("anonymous-write", "adminPolicy", "anonymous clients are administrators")]
      : []),
    ...(adminPolicy.actions.includes("update") && adminPolicy.conditions.length === 0
      ? [found("tag-overwrite", "adminPolicy", "break-glass may overwrite every tag", "warning")]
      : []),
  ];
}

function writableCaches(config: ZotConfig, accessControl: LoadedAccessControl, rules: AccessRules): Finding[] {
  const destinations = (config.extensions?.sync?.registries ?? []).flatMap(({ content }) =>
    (content ?? []).map(({ destination = "", prefix }) =>
      destination.replace(/^\/+/, "") === "" ? prefix : `${destination.replace(/^\/+/, "")}/**`,
    ),
  );
  const caches = [...new Set([...destinations, ...rules.registry.pullThrough.map(cachePattern)])];
  const engine = compilePolicies({ ...accessControl, repositories: withoutConditions(accessControl.repositories) });
  const byAdmins = accessControl.adminPolicy.actions.filter((action) => action === "create" || action === "update");
  return caches.flatMap((cache) => [
    ...byAdmins.map((action) => found("cache-writable", "adminPolicy", `break-glass may ${action} in ${cache}`)),
    ...[...new Set(samplesIn(cache, accessControl).flatMap((name) => engine.patternsFor(name)))].flatMap((pattern) =>
      cacheWriters(accessControl.repositories.get(pattern)).map((who) =>
        found("cache-writable", ruleOf(pattern), `${who} may push into ${cache}`),
      ),
    ),
  ]);
}

function withoutConditions(repositories: ReadonlyMap<string, LoadedRepository>): Map<string, LoadedRepository> {
  return new Map(
    [...repositories].map(([pattern, { policies, ...rest }]) => [
      pattern,
      { ...rest, policies: policies.map((policy) => ({ ...policy, conditions: [] })) },
    ]),
  );
}

/** A repository of the cache for every pattern that might rule there. */
function samplesIn(cache: string, { repositories }: LoadedAccessControl): string[] {
  return [sampleName(cache), ...[...repositories.keys()].flatMap((pattern) => commonNames(pattern, cache))];
}

function cacheWriters(repository: LoadedRepository | undefined): string[] {
  if (repository === undefined) return [];
  const pushes = (actions: readonly string[]) => actions.includes("create") || actions.includes("update");
  return [
    ...(pushes(repository.anonymousPolicy) ? ["anonymous clients"] : []),
    ...(pushes(repository.defaultPolicy) ? ["everyone logged in"] : []),
    ...repository.policies
      .filter(({ actions }) => pushes(actions))
      .flatMap(({ users, groups }) => namesOf(users, groups)),
  ];
}

function ties(patterns: readonly string[]): Finding[] {
  const byLength = new Map<number, string[]>();
  for (const pattern of patterns) {
    const length = Buffer.byteLength(pattern);
    byLength.set(length, [...(byLength.get(length) ?? []), pattern]);
  }
  return [...byLength.values()].flatMap((equals) =>
    equals.flatMap((pattern, index) =>
      equals
        .slice(index + 1)
        .filter((other) => overlap(pattern, other))
        .map((other) =>
          found("tied-patterns", ruleOf(pattern), `is as long as ${other} and can match the same repository`),
        ),
    ),
  );
}

/** A note: zot's own default, which no stack need be told of at every run. */
function headCreates(
  dedupe: boolean,
  { repositories }: LoadedAccessControl,
  { registry: { version } }: AccessRules,
): Finding[] {
  const [open] = [...repositories].find(([, { anonymousPolicy }]) => anonymousPolicy.includes("read")) ?? [];
  if (!dedupe || open === undefined || supports(version, "blob reads that create nothing")) return [];
  const what = "anonymous clients may read, and storage.dedupe is on";
  return [found("head-creates", `${ruleOf(open)}.anonymousPolicy`, what, "note")];
}
