import { lt } from "semver";
import type { AccessControl, ZotConfig } from "../../types";
import { supports } from "../../versions";
import { type ConditionRequest, compileCondition, REQUEST_PATHS } from "../cel";
import { type AccessRules, grantsIn } from "../compile";
import { isValidPattern } from "../doublestar";
import type { Finding, LintName } from "../lints";
import { type LoadedPolicy, loadConfig } from "../load";

/** What a rule says, whatever it comes to: words, names, expressions, and what zot's loader makes of them. */
export function lintText(config: ZotConfig, rules: AccessRules): Finding[] {
  const raw = config.http.accessControl;
  return [
    ...dropped(config, raw),
    ...cases(config, raw, rules),
    ...policiesOf(config).flatMap(({ rule, policy }) => [
      ...actions(`${rule}.actions`, policy.actions),
      ...conditions(rule, policy),
    ]),
    ...generalActions(config),
    ...tooOld(config, rules),
  ];
}

const error = (lint: LintName, rule: string, what: string): Finding => ({ lint, severity: "error", rule, what });

/** Every policy under the name its place gives it. */
export function policiesOf(config: ZotConfig): { rule: string; policy: LoadedPolicy; pattern?: string }[] {
  const { accessControl } = loadConfig(config);
  if (accessControl === undefined) return [];
  const inRepositories = [...accessControl.repositories].flatMap(([pattern, { policies }]) =>
    policies.map((policy, index) => ({ rule: `${ruleOf(pattern)}.policies[${index}]`, policy, pattern })),
  );
  return [...inRepositories, { rule: "adminPolicy", policy: accessControl.adminPolicy }];
}

export const ruleOf = (pattern: string) => `repositories[${JSON.stringify(pattern)}]`;

function dropped(config: ZotConfig, raw: AccessControl | undefined): Finding[] {
  const loaded = loadConfig(config).accessControl;
  if (loaded === undefined) {
    return [
      error("dropped-rule", "accessControl", "there is none, so that everyone with credentials may do everything"),
    ];
  }
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

function cases(config: ZotConfig, raw: AccessControl | undefined, rules: AccessRules): Finding[] {
  const isLower = (key: string) => key === key.toLowerCase();
  const known = new Set([rules.access.admins.group, ...grantsIn(rules).map(({ group }) => group)]);
  const byFolded = new Map([...known].map((name) => [name.toLowerCase(), name]));
  const named = policiesOf(config).flatMap(({ rule, policy }) => policy.groups.map((group) => ({ rule, group })));
  return [
    ...Object.keys(raw?.groups ?? {})
      .filter((group) => !isLower(group))
      .map((group) => error("group-case", `groups[${JSON.stringify(group)}]`, `becomes ${group.toLowerCase()}`)),
    ...Object.keys(raw?.repositories ?? {})
      .filter((pattern) => !isLower(pattern))
      .map((pattern) => error("group-case", ruleOf(pattern), `becomes ${pattern.toLowerCase()}`)),
    ...named.flatMap(({ rule, group }) => {
      const meant = byFolded.get(group.toLowerCase());
      if (meant === undefined || known.has(group)) return [];
      return [error("group-case", `${rule}.groups`, `names ${group}, and the settings ${meant}`)];
    }),
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

function generalActions(config: ZotConfig): Finding[] {
  const { accessControl } = loadConfig(config);
  if (accessControl === undefined) return [];
  return [...accessControl.repositories].flatMap(([pattern, { anonymousPolicy, defaultPolicy }]) => [
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

function tooOld(config: ZotConfig, { registry: { version } }: AccessRules): Finding[] {
  const conditional = policiesOf(config).find(({ policy }) => policy.conditions.length > 0);
  const metrics = loadConfig(config).accessControl?.metrics.anonymousPolicy ?? [];
  return [
    ...(conditional && !supports(version, "conditions on policies")
      ? [error("zot-too-old", `${conditional.rule}.conditions`, `needs zot 2.1.17, and the hosts have ${version}`)]
      : []),
    ...(metrics.length > 0 && !supports(version, "metrics.anonymousPolicy")
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
