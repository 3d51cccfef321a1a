import type { Change } from "./timeline";

/** The rule that is changed again and again: whether `guarded/**` may be pulled by anybody, and CI may push to `extra/**`. */
export type Rule = "open" | "closed";

/** What may be answered: always the same, or by the rule that is in force. */
interface Expectation {
  actor: "anonymous" | "CI" | "operator";
  /** In words. */
  because: string;
  allowed: readonly Answered[] | Record<Rule, readonly Answered[]>;
}

type Answered = number | "done" | "refused";

/** A push is answered 202 (upload begun) and 201 (blob, manifest). */
const PUSHED = [201, 202];

const SERVED = { actor: "anonymous", because: "anybody may pull", allowed: [200] } as const;
const REFUSED = { actor: "CI", allowed: [403] } as const;

/** Everything that is done during a soak. */
export const ACTIONS = {
  "pull a manifest by its tag": SERVED,
  "pull a manifest by its digest": SERVED,
  "pull a blob": SERVED,
  "pull through the cache": SERVED,
  "pull through a slow upstream": SERVED,
  "pull from guarded/": {
    actor: "anonymous",
    because: "the rule in force",
    allowed: { open: [200], closed: [401] },
  },
  push: { actor: "anonymous", because: "nobody pushes without a key", allowed: [401] },
  "push a new version": { actor: "CI", because: "its own path", allowed: PUSHED },
  "push a slow layer": { actor: "CI", because: "registry.timeouts", allowed: PUSHED },
  "push with the key before": { actor: "CI", because: "running jobs keep their key", allowed: PUSHED },
  "push to extra/": { actor: "CI", because: "the rule in force", allowed: { open: PUSHED, closed: [403] } },
  "overwrite a version": { ...REFUSED, because: "versions are immutable" },
  "push a tag of another form": { ...REFUSED, because: "the form of tags" },
  "push to another's path": { ...REFUSED, because: "not its path" },
  "push into the cache": { ...REFUSED, because: "caches are read-only" },
  "use a retired key": { actor: "CI", because: "two rotations old", allowed: [401] },
  "read the stack's outputs": { actor: "CI", because: "any time", allowed: ["done"] },
  up: { actor: "operator", because: "nothing is in its way", allowed: ["done"] },
  "up without the issuer": { actor: "operator", because: "it must touch nothing", allowed: ["refused"] },
} as const satisfies Record<string, Expectation>;

export type Action = keyof typeof ACTIONS;

/** One question and its answer. Times in ms from the start. */
export interface Exchange {
  action: Action;
  from: number;
  to: number;
  /** HTTP status; without an answer, why: `ECONNREFUSED`. */
  status: number | string;
}

export interface Phase {
  name: Change;
  from: number;
  to: number;
}

/** A time in which one rule was in force and the other was not. */
export interface Settled {
  rule: Rule;
  from: number;
  to: number;
}

export interface Course {
  phases: readonly Phase[];
  settled: readonly Settled[];
}

/** A connection that was refused, or cut. */
const CUT = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];
/** Phases in which the registry is down, from before it is stopped until it has answered again. */
const DOWN: readonly Change[] = ["service restart", "host reboot"];

/** Pulumi's file backend writes the state in place: who reads it meanwhile may meet half of it (docs/facts.md). */
export const HALF_WRITTEN = "state half written";
/** Phases in which an up runs. */
const UP: readonly Change[] = ["rule change", "rotation", "issuer outage"];

/** @returns in words why this was answered; undefined when nothing explains it */
export function explain(exchange: Exchange, { phases, settled }: Course): string | undefined {
  const { action, from, status, to } = exchange;
  const during = (names: readonly Change[]) =>
    phases.find((phase) => names.includes(phase.name) && from <= phase.to && to >= phase.from)?.name;
  if (CUT.includes(String(status))) return during(DOWN);
  if (status === HALF_WRITTEN) return action === "read the stack's outputs" ? during(UP) : undefined;
  const { allowed, because }: Expectation = ACTIONS[action];
  if (isList(allowed)) return allowed.includes(status as Answered) ? because : undefined;
  const known = settled.find((one) => one.from <= from && one.to >= to);
  const possible = known ? allowed[known.rule] : [...allowed.open, ...allowed.closed];
  return possible.includes(status as Answered) ? because : undefined;
}

const isList = (allowed: Expectation["allowed"]): allowed is readonly Answered[] => Array.isArray(allowed);

export function unexplained(exchanges: readonly Exchange[], course: Course): Exchange[] {
  return exchanges.filter((exchange) => explain(exchange, course) === undefined);
}

/** What happens at a moment: the phase in which something is down counts before others. */
export function phaseOf({ from, to }: Pick<Exchange, "from" | "to">, phases: readonly Phase[]): Change | "none" {
  const there = phases.filter((phase) => from <= phase.to && to >= phase.from);
  return (there.find(({ name }) => DOWN.includes(name)) ?? there[0])?.name ?? "none";
}

/** A tag as its pusher knows it. */
export interface Known {
  digest: string;
  /** false: its push got no answer. */
  answered: boolean;
}

/** A tag as the registry has it; `broken` says which of its bytes are not what their digest says. */
export interface Found {
  digest: string;
  broken?: string;
}

/**
 * Whether nothing was lost and nothing came from nowhere.
 * @param known by `repository:tag`
 * @param found everything that the registry has
 * @returns a sentence for every difference
 */
export function differences(known: ReadonlyMap<string, Known>, found: ReadonlyMap<string, Found>): string[] {
  const lost = [...known].filter(([name, { answered }]) => answered && !found.has(name));
  const unknown = [...found].filter(([name]) => !known.has(name));
  const others = [...known].filter(([name, { digest }]) => (found.get(name)?.digest ?? digest) !== digest);
  const broken = [...found].filter(([, { broken }]) => broken !== undefined);
  return [
    ...lost.map(([name, { digest }]) => `${name} was answered 201 with ${digest}, and is gone`),
    ...unknown.map(([name, { digest }]) => `${name} is ${digest}, which nobody was told of`),
    ...others.map(([name, { digest }]) => `${name} is ${found.get(name)?.digest}, and was pushed as ${digest}`),
    ...broken.map(([name, { broken }]) => `${name}: ${broken}`),
  ];
}
