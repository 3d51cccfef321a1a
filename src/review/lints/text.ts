import { lt } from "semver";
import type { AccessRules } from "../../config/compile";
import { type ConditionRequest, compileCondition, REQUEST_PATHS } from "../../zot/cel";
import { isValidPattern } from "../../zot/doublestar";
import type { LoadedAccessControl, LoadedPolicy } from "../../zot/load";
import type { AccessControl } from "../../zot/types";
import { supports } from "../../zot/versions";
import type { Finding, Linted, LintName } from "./lints";

/** What a rule says, whatever it comes to: words, names, expressions, and what zot's loader makes of them. */
export function lintText({ config, loaded, rules }: Linted): Finding[] {
  const raw = config.http.accessControl;
  if (loaded.accessControl === undefined) {
    return [
      error("dropped-rule", "accessControl", "there is none, so that everyone with credentials may do everything"),
    ];
  }
  const { accessControl } = loaded;
  const policies = policiesOf(accessControl);
  return [
    ...dropped(accessControl, raw),
    ...cases(policies, raw, rules),
    ...policies.flatMap(({ rule, policy }) => [
      ...actions(`${rule}.actions`, policy.actions),
      ...conditions(rule, policy),
    ]),
    ...generalActions(accessControl),
    ...tooOld(accessControl, policies, rules),
  ];
}

const error = (lint: LintName, rule: string, what: string): Finding => ({ lint, severity: "error", rule, what });

interface NamedPolicy {
  rule: string;
  policy: LoadedPolicy;
}

/** Every policy under the name its place gives it. */
function policiesOf({ repositories, adminPolicy }: LoadedAccessControl): NamedPolicy[] {
  const inRepositories = [...repositories].flatMap(([pattern, { policies }]) =>
    policies.map((policy, index) => ({ rule: `${ruleOf(pattern)}.policies[${index}]`, policy })),
  );
  return [...inRepositories, { rule: "adminPolicy", policy: adminPolicy }];
}

export const ruleOf = (pattern: string) => `repositories[${JSON.stringify(pattern)}]`;

function dropped(loaded: LoadedAccessControl, raw: AccessControl | undefined): Finding[] {
  const patterns = Object.keys(raw?.repositories ?? {});
  const groups = Object.keys(raw?.groups ?? {});
  return [
    ...patterns
      .filter((pattern) => !loaded.repositories.has(pattern.toLowerCase()))
      .map((pattern) =>
        error("dropped-rule", ruleOf(pattern), "is empty and is dropped, so that a wider pattern applies"),
      ),
    ...[...patterns, ...groups]
      .filter((key, index, keys) => keys.some((other, at) => at < index && other.toLowerCase() === key.toLowerCase()))
      .map((key) => error("dropped-rule", JSON.stringify(key), "is named twice, in different case")),
    ...patterns
      .filter((pattern) => !isValidPattern(pattern))
      .map((pattern) => error("dropped-rule", ruleOf(pattern), "is not a valid pattern and matches nothing")),
  ];
}

function cases(
  policies: readonly NamedPolicy[],
  raw: AccessControl | undefined,
  { access, ci }: AccessRules,
): Finding[] {
  const isLower = (key: string) => key === key.toLowerCase();
  const known = new Set([access.admins, ...ci, ...access.groups].map(({ group }) => group));
  const byFolded = new Map([...known].map((name) => [name.toLowerCase(), name]));
  return [
    ...Object.keys(raw?.groups ?? {})
      .filter((group) => !isLower(group))
      .map((group) => error("group-case", `groups[${JSON.stringify(group)}]`, `becomes ${group.toLowerCase()}`)),
    ...Object.keys(raw?.repositories ?? {})
      .filter((pattern) => !isLower(pattern))
      .map((pattern) => error("group-case", ruleOf(pattern), `becomes ${pattern.toLowerCase()}`)),
    ...policies.flatMap(({ rule, policy }) =>
      policy.groups
        .filter((group) => !known.has(group) && byFolded.has(group.toLowerCase()))
        .map((group) =>
          error(
            "group-case",
            `${rule}.groups`,
            `names ${group}, and the settings ${byFolded.get(group.toLowerCase())}`,
          ),
        ),
    ),
  ];
}

const ACTIONS: readonly string[] = ["read", "create", "update", "delete", "detectManifestCollision"];
const MEANT: Record<string, string> = { pull: "read", push: "create", write: "create", overwrite: "update", "*": "" };

function actions(rule: string, names: readonly string[]): Finding[] {
  return names
    .filter((name) => !ACTIONS.includes(name))
    .map((name) => {
      const meant = MEANT[name.toLowerCase()] ?? ACTIONS.find((action) => alike(action, name.toLowerCase())) ?? "";
      return error("unknown-action", rule, `${JSON.stringify(name)} is no action${meant && `; ${meant} may be meant`}`);
    });
}

/** Same letters but for two. */
function alike(action: string, name: string): boolean {
  const missing = [...action].filter((letter) => !name.includes(letter)).length;
  const extra = [...name].filter((letter) => !action.includes(letter)).length;
  return missing + extra <= 2 && Math.abs(action.length - name.length) <= 2;
}

function generalActions({ repositories }: LoadedAccessControl): Finding[] {
  return [...repositories].flatMap(([pattern, { anonymousPolicy, defaultPolicy }]) => [
    ...actions(`${ruleOf(pattern)}.anonymousPolicy`, anonymousPolicy),
    ...actions(`${ruleOf(pattern)}.defaultPolicy`, defaultPolicy),
  ]);
}

const examined = new Map<string, string | undefined>();

function conditions(rule: string, policy: LoadedPolicy): Finding[] {
  return policy.conditions.flatMap(({ expression }, index) => {
    if (!examined.has(expression)) examined.set(expression, fault(expression));
    const what = examined.get(expression);
    return what === undefined ? [] : [error("bad-condition", `${rule}.conditions[${index}]`, what)];
  });
}

function fault(expression: string): string | undefined {
  try {
    const condition = compileCondition(expression);
    const unknown = condition.reads.find((path) => !REQUEST_PATHS.includes(path) && !path.startsWith("req.claims."));
    if (unknown !== undefined) return `reads ${unknown}, which does not exist`;
    if (condition.type !== "bool" && condition.type !== "dyn") return `gives ${condition.type}, not a boolean`;
    if (isBarePath(expression) && !/^req\.(auth\.\w+|tls\.enabled|claims\..+)$/.test(expression.trim())) {
      condition.holds(SAMPLE);
    }
    return undefined;
  } catch (reason) {
    return reason instanceof Error ? reason.message : String(reason);
  }
}

const isBarePath = (expression: string) => /^\s*req(\.\w+)+\s*$/.test(expression);

const SAMPLE: ConditionRequest = {
  time: new Date(0),
  method: "PUT",
  userAgent: "",
  action: "create",
  repository: "any",
  reference: "v1",
  referenceType: "tag",
  tag: "v1",
  digest: "",
  user: { username: "any", groups: [] },
  auth: { anonymous: false, admin: false },
  client: { ip: "127.0.0.1", forwardedFor: [] },
  tls: { enabled: true, version: "1.3" },
  claims: {},
};

function tooOld(
  { metrics: { anonymousPolicy } }: LoadedAccessControl,
  policies: readonly NamedPolicy[],
  { registry: { version } }: AccessRules,
): Finding[] {
  const conditional = policies.find(({ policy }) => policy.conditions.length > 0);
  return [
    ...(conditional && !supports(version, "conditions on policies")
      ? [error("zot-too-old", `${conditional.rule}.conditions`, `needs zot 2.1.17, and the hosts have ${version}`)]
      : []),
    ...(anonymousPolicy.length > 0 && !supports(version, "metrics.anonymousPolicy")
      ? [error("zot-too-old", "metrics.anonymousPolicy", `needs zot 2.1.18, and the hosts have ${version}`)]
      : []),
    ...(lt(version, "2.1.15")
      ? [
          error(
            "zot-too-old",
            "accessControl",
            `before 2.1.15 create alone overwrites latest; the hosts have ${version}`,
          ),
        ]
      : []),
  ];
}
