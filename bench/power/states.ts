import { createHash } from "node:crypto";
import { DATA_FATES, type DataFate, type Fate, FileSystem, type Tree } from "./file-system";
import type { SystemCall } from "./system-call";

/** What the agent did to a directory. */
export interface Recording {
  before: Tree;
  calls: SystemCall[];
  /** How many calls there were when a step was answered for, and what lay there. */
  answered: { calls: number; tree: Tree }[];
}

/** A state that a power cut may leave, by what it takes to make it again. */
export interface Cut {
  /** After how many calls. */
  calls: number;
  /** Which changes of names are on disk: all, the first n, all but one, one alone, or some. */
  names: "all" | "some" | `first ${number}` | `but ${number}` | `only ${number}`;
  data: DataFate | "some";
  seed: number;
}

export interface State {
  cut: Cut;
  tree: Tree;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @returns what lies there after the cut */
export function treeAfter({ before, calls }: Recording, cut: Cut): Tree {
  const fileSystem = new FileSystem(before);
  for (const call of calls.slice(0, cut.calls)) fileSystem.apply(call);
  return fileSystem.afterCut(fateOf(cut));
}

/** As a name on a command line, and back. */
export const nameOf = ({ calls, names, data, seed }: Cut) => [calls, names, data, seed].join("/");
export function cutNamed(name: string): Cut {
  const [calls, names, data, seed] = name.split("/");
  return { calls: Number(calls), names, data, seed: Number(seed) } as Cut;
}

function fateOf({ names, data, seed }: Cut): Fate {
  const next = numbers(seed);
  const [kind, argument] = names.split(" ");
  const number = Number(argument);
  const keeps: Record<string, (index: number) => boolean> = {
    all: () => true,
    first: (index) => index < number,
    but: (index) => index !== number,
    only: (index) => index === number,
    some: () => next() < 0.5,
  };
  return {
    keepsName: keeps[kind as string] as (index: number) => boolean,
    data: () => (data === "some" ? (DATA_FATES[Math.floor(next() * DATA_FATES.length)] as DataFate) : data),
    portion: next,
  };
}

/**
 * States that a cut may leave, each once: after every call in the ways that file systems are known for, and at random.
 * @param limit how many; fewer where there are no more to be found
 */
export function* statesOf(recording: Recording, seed: number, limit: number): Generator<State> {
  const seen = new Set<string>();
  for (const cut of cuts(recording, seed)) {
    const tree = treeAfter(recording, cut);
    const key = keyOf(tree);
    if (seen.has(key)) continue;
    seen.add(key);
    yield { cut, tree };
    if (seen.size >= limit) return;
  }
}

/** Those that are known, in a random order, and others at random by turns. */
function* cuts(recording: Recording, seed: number): Generator<Cut> {
  const next = numbers(seed);
  const known = knownCuts(recording, seed).map((cut) => ({ cut, at: next() }));
  known.sort((a, b) => a.at - b.at);
  for (let turn = 0; turn < 50_000; turn++) {
    const cut = known[turn]?.cut;
    if (cut) yield cut;
    const calls = Math.floor(next() * (recording.calls.length + 1));
    yield { calls, names: "some", data: "some", seed: Math.floor(next() * 2 ** 31) };
  }
}

function knownCuts(recording: Recording, seed: number): Cut[] {
  const fileSystem = new FileSystem(recording.before);
  return [undefined, ...recording.calls].flatMap((call, calls) => {
    if (call) fileSystem.apply(call);
    return orders(fileSystem.unsynced).flatMap((names) =>
      DATA_FATES.map((data): Cut => ({ calls, names, data, seed })),
    );
  });
}

function orders(unsynced: number): Cut["names"][] {
  const each = Array.from({ length: unsynced }, (_, index) => index);
  return ["all", ...each.flatMap((index): Cut["names"][] => [`first ${index}`, `but ${index}`, `only ${index}`])];
}

/** Most files are the same in most states. */
const digests = new WeakMap<Buffer, string>();

function digestOf(content: Buffer): string {
  const digest = digests.get(content) ?? createHash("sha256").update(content).digest("base64");
  digests.set(content, digest);
  return digest;
}

function keyOf(tree: Tree): string {
  return [...tree].map(([path, { mode, content }]) => `${path} ${mode} ${content && digestOf(content)}`).join("\n");
}
