import { isDeepStrictEqual } from "node:util";
import { compileAccess } from "../../config/compile";
import { commonNames, sampleName } from "../../config/patterns";
import { type LoadedAccessControl, type LoadedPolicy, type LoadedRepository, loadConfig } from "../../zot/load";
import { compilePolicies, type PolicyEngine } from "../../zot/policy";
import { error, type Fault, type Lint, type Linted, ruleOf } from "./finding";

export const grantLost: Lint = {
  why: "zot applies the longest matching pattern alone, and that one does not restate the grant",
  fix: "restate the grant there, or say the rule in harden-zot:access instead of extraConfig",
  find: lostGrants,
};

/** Grants of the settings that the configuration, changed by extraConfig, does not give any more. */
function lostGrants({ config, accessControl: given, rules }: Linted): Fault[] {
  const accessControl = compileAccess(rules);
  if (isDeepStrictEqual(accessControl, config.http.accessControl)) return [];
  const wanted = loadConfig({ ...config, http: { ...config.http, accessControl } }).accessControl;
  if (wanted === undefined) return [];
  const [wantedAt, givenAt] = [chooser(wanted), chooser(given)];
  const names = new Set(
    [...wanted.repositories.keys()].flatMap((pattern) => [
      sampleName(pattern),
      ...[...given.repositories.keys()]
        .filter((other) => !wanted.repositories.has(other))
        .flatMap((other) => commonNames(pattern, other)),
    ]),
  );
  return [...names].flatMap((name) => compare(name, wantedAt(name), givenAt(name), given));
}

interface Chosen {
  pattern: string;
  repository: LoadedRepository;
}

function chooser({ repositories, ...rest }: LoadedAccessControl): (name: string) => Chosen | undefined {
  const bare = new Map([...repositories].map(([pattern]) => [pattern, NOTHING] as const));
  const engine: PolicyEngine = compilePolicies({ ...rest, adminPolicy: NO_POLICY, repositories: bare });
  return (name) => {
    const [pattern] = engine.patternsFor(name);
    const repository = pattern === undefined ? undefined : repositories.get(pattern);
    return pattern !== undefined && repository !== undefined ? { pattern, repository } : undefined;
  };
}

const NOTHING: LoadedRepository = { policies: [], defaultPolicy: [], anonymousPolicy: [] };
const NO_POLICY: LoadedPolicy = { users: [], groups: [], actions: [], conditions: [] };

function compare(
  name: string,
  wanted: Chosen | undefined,
  given: Chosen | undefined,
  { adminPolicy }: LoadedAccessControl,
): Fault[] {
  const there = given?.repository ?? NOTHING;
  const rule = given === undefined ? "repositories" : ruleOf(given.pattern);
  const lost = (who: string, action: string) =>
    error(rule, `${who} may not ${action} in ${name}, which the settings grant`);
  const general = (["anonymousPolicy", "defaultPolicy"] as const).flatMap((list) =>
    (wanted?.repository[list] ?? [])
      .filter((action) => !there[list].includes(action))
      .map((action) => lost(list === "anonymousPolicy" ? "anonymous clients" : "everyone logged in", action)),
  );
  const named = (wanted?.repository.policies ?? []).flatMap((policy) =>
    policy.actions.flatMap((action) =>
      policy.groups
        .filter((group) => ![...there.policies, adminPolicy].some((other) => gives(other, policy, group, action)))
        .map((group) => lost(`group ${group}`, action)),
    ),
  );
  return [...general, ...named];
}

/** Under no condition that the grant does not have itself. */
function gives(other: LoadedPolicy, { conditions }: LoadedPolicy, group: string, action: string): boolean {
  const own = new Set(conditions.map(({ expression }) => expression));
  return (
    other.groups.includes(group) &&
    other.actions.includes(action) &&
    other.conditions.every(({ expression }) => own.has(expression))
  );
}
