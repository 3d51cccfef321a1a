import { type CompiledCondition, type ConditionRequest, compileCondition } from "./cel";
import { isValidPattern, matchPattern } from "./doublestar";
import type { LoadedAccessControl, LoadedPolicy, LoadedRepository } from "./load";

/** Who asks, once authenticated; an anonymous client has the empty name, in zot and here. */
export interface Subject {
  name: string;
  groups: readonly string[];
}

export interface Ask {
  subject: Subject;
  action: string;
  repository: string;
  reference: string;
  /** Asked for only when a condition has to be evaluated. */
  request(): ConditionRequest;
}

export interface Verdict {
  granted: boolean;
  /** What decided, in the words of the configuration: `repositories["a/**"].policies[0]`, `adminPolicy`. */
  rule: string;
  /** Message of the condition that refused. */
  reason?: string;
}

/** An accessControl, compiled once to be asked often. */
export interface PolicyEngine {
  isAdmin(subject: Subject): boolean;
  ask(ask: Ask): { verdict: Verdict; others: readonly Verdict[] };
  /** Like ask, without regard to conditions: catalog, mounts and collision detection (zot: UserAccessControl.Can). */
  askOptimistically(subject: Subject, action: string, repository: string): { granted: boolean; tied: boolean };
  /** The patterns of which zot takes any one: a single one, unless several of equal length match. */
  patternsFor(repository: string): readonly string[];
  groupsOf(name: string): readonly string[];
}

interface CompiledPolicy {
  rule: string;
  users: ReadonlySet<string>;
  groups: readonly string[];
  actions: ReadonlySet<string>;
  conditions: readonly { condition: CompiledCondition; message: string }[];
}

interface CompiledRepository {
  pattern: string;
  bytes: number;
  /** Text every matching name begins with. */
  prefix: string;
  rule: string;
  policies: readonly CompiledPolicy[];
  defaultPolicy: ReadonlySet<string>;
  anonymousPolicy: ReadonlySet<string>;
}

const MEMORY = 20_000;

/** @throws ConditionError when a condition does not compile: zot does not load such a configuration */
export function compilePolicies(config: LoadedAccessControl): PolicyEngine {
  const compile = onceEach(compileCondition);
  const repositories = [...config.repositories]
    .map(([pattern, repository]) => compileRepository(pattern, repository, compile))
    .sort((a, b) => b.bytes - a.bytes);
  const admins = compilePolicy(config.adminPolicy, "adminPolicy", compile);
  const remembered = new Map<string, readonly CompiledRepository[]>();

  const longest = (repository: string): readonly CompiledRepository[] => {
    let found = remembered.get(repository);
    if (found === undefined) {
      found = longestMatches(repositories, repository);
      if (remembered.size >= MEMORY) remembered.clear();
      remembered.set(repository, found);
    }
    return found;
  };

  const isAdmin = (subject: Subject) => admins.users.has(subject.name) || isAnyOf(subject.groups, admins.groups);

  const askAdmins = (ask: Ask, verdict: Verdict): Verdict => {
    if (verdict.granted || !isAdmin(ask.subject) || !admins.actions.has(ask.action)) return verdict;
    const { met, reason } = conditionsMet(admins, ask);
    if (met) return { granted: true, rule: admins.rule };
    return reason === "" ? verdict : { granted: false, rule: admins.rule, reason };
  };

  return {
    isAdmin,
    groupsOf: membership(config.groups),
    patternsFor: (repository) => longest(repository).map(({ pattern }) => pattern),
    ask(ask) {
      const found = longest(ask.repository);
      const [first, ...rest] =
        found.length === 0
          ? [{ granted: false, rule: "no pattern matches" }]
          : found.map((repository) => askRepository(repository, ask));
      return {
        verdict: askAdmins(ask, first as Verdict),
        others: rest.length === 0 ? NONE : rest.map((verdict) => askAdmins(ask, verdict)),
      };
    },
    askOptimistically(subject, action, repository) {
      if (isAdmin(subject)) return { granted: action !== "detectManifestCollision", tied: false };
      const [granted = false, ...others] = longest(repository).map((found) => grantsSomething(found, subject, action));
      return { granted, tied: others.some((other) => other !== granted) };
    },
  };
}

const NONE: readonly Verdict[] = [];

function membership(groups: ReadonlyMap<string, readonly string[]>): (name: string) => readonly string[] {
  const byName = new Map<string, string[]>();
  for (const [group, users] of groups) {
    for (const user of new Set(users)) byName.set(user, [...(byName.get(user) ?? []), group]);
  }
  return (name) => byName.get(name) ?? [];
}

type Compile = (expression: string) => CompiledCondition;

/** Most policies share a few conditions. */
function onceEach(compile: Compile): Compile {
  const known = new Map<string, CompiledCondition>();
  return (expression) => {
    const condition = known.get(expression) ?? compile(expression);
    known.set(expression, condition);
    return condition;
  };
}

function compileRepository(pattern: string, repository: LoadedRepository, compile: Compile): CompiledRepository {
  const rule = `repositories[${JSON.stringify(pattern)}]`;
  return {
    pattern,
    bytes: Buffer.byteLength(pattern),
    prefix: isValidPattern(pattern) ? (/^[^*?[{\\]*?(?=\/\*\*|[*?[{\\]|$)/.exec(pattern)?.[0] ?? "") : "",
    rule,
    policies: repository.policies.map((policy, index) => compilePolicy(policy, `${rule}.policies[${index}]`, compile)),
    defaultPolicy: new Set(repository.defaultPolicy),
    anonymousPolicy: new Set(repository.anonymousPolicy),
  };
}

function compilePolicy(policy: LoadedPolicy, rule: string, compile: Compile): CompiledPolicy {
  return {
    rule,
    users: new Set(policy.users),
    groups: policy.groups,
    actions: new Set(policy.actions),
    conditions: policy.conditions.map(({ expression, message }) => ({
      condition: compile(expression),
      message,
    })),
  };
}

/**
 * zot takes the longest matching pattern, counted in bytes; among equally long ones the first of a Go map, that is
 * any. The empty pattern is what it falls back to when nothing matches.
 */
function longestMatches(sorted: readonly CompiledRepository[], repository: string): readonly CompiledRepository[] {
  const found: CompiledRepository[] = [];
  for (const candidate of sorted) {
    if (found[0] !== undefined && candidate.bytes < found[0].bytes) break;
    if (candidate.bytes === 0) return [candidate];
    if (repository.startsWith(candidate.prefix) && matches(candidate.pattern, repository)) found.push(candidate);
  }
  return found;
}

function matches(pattern: string, repository: string): boolean {
  try {
    return matchPattern(pattern, repository);
  } catch {
    return false;
  }
}

function askRepository(repository: CompiledRepository, ask: Ask): Verdict {
  const byUser = (policy: CompiledPolicy) => policy.users.has(ask.subject.name);
  const byGroup = (policy: CompiledPolicy) => isAnyOf(ask.subject.groups, policy.groups);
  let refusal: Verdict = { granted: false, rule: repository.rule };
  for (const concerns of [byUser, byGroup]) {
    for (const policy of repository.policies) {
      if (!policy.actions.has(ask.action) || !concerns(policy)) continue;
      const { met, reason } = conditionsMet(policy, ask);
      if (met) return { granted: true, rule: policy.rule };
      if (reason !== "") refusal = { granted: false, rule: policy.rule, reason };
    }
  }
  const general = ask.subject.name === "" ? "anonymousPolicy" : "defaultPolicy";
  if (repository[general].has(ask.action)) return { granted: true, rule: `${repository.rule}.${general}` };
  return refusal;
}

function grantsSomething(repository: CompiledRepository, subject: Subject, action: string): boolean {
  if (repository[subject.name === "" ? "anonymousPolicy" : "defaultPolicy"].has(action)) return true;
  return repository.policies.some(
    (policy) =>
      policy.actions.has(action) && (policy.users.has(subject.name) || isAnyOf(subject.groups, policy.groups)),
  );
}

/** All must hold. One that fails to evaluate refuses without a word to the client. */
function conditionsMet(policy: CompiledPolicy, ask: Ask): { met: boolean; reason: string } {
  if (policy.conditions.length === 0) return MET;
  const request = ask.request();
  for (const { condition, message } of policy.conditions) {
    try {
      if (!condition.holds(request)) return { met: false, reason: message };
    } catch {
      return { met: false, reason: "" };
    }
  }
  return MET;
}

const MET = { met: true, reason: "" };

function isAnyOf(names: readonly string[], wanted: readonly string[]): boolean {
  for (const name of wanted) if (names.includes(name)) return true;
  return false;
}
