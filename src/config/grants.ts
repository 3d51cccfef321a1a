import { OperatorError } from "../operator/error";
import { contains, expandAlternatives, intersection, overlap, padded } from "./patterns";

/** Rules by pattern, before and after zot's way of choosing one pattern alone. */

/** A pattern that zot will be given, and where it comes from. */
export interface Place {
  /** As the settings mean it. */
  pattern: string;
  /** As zot gets it: the same, made longer where it would otherwise lose to a wider one. */
  emitted: string;
  /** Patterns of the settings that hold everywhere this one does, itself included. */
  holding: readonly string[];
}

/**
 * Places such that whichever pattern zot takes for a repository, being the longest, it is the narrowest: wherever
 * two patterns overlap and neither contains the other, their intersection is a place too, and a narrower pattern is
 * longer than every wider one. No two places that share a repository are equally long.
 * @param patterns from the settings, the widest being `**`
 * @throws OperatorError where an intersection cannot be written as a pattern
 */
export function placesOf(patterns: Iterable<string>): Place[] {
  const sources = [...new Set(patterns)];
  const family = closed([...new Set(sources.flatMap(expandAlternatives))]);
  const wider = relatives(family);
  const order = [...family].sort((a, b) => (wider.get(a)?.containing.size ?? 0) - (wider.get(b)?.containing.size ?? 0));
  const lengths = new Map<string, number>();
  for (const pattern of order) lengths.set(pattern, lengthFor(pattern, wider.get(pattern) as Relatives, lengths));
  const within = sourcesByPart(sources);
  return family.map((pattern) => ({
    pattern,
    emitted: padded(pattern, lengths.get(pattern) as number),
    holding: [
      ...new Set([pattern, ...(wider.get(pattern)?.containing ?? [])].flatMap((part) => within.get(part) ?? [])),
    ],
  }));
}

interface Relatives {
  containing: Set<string>;
  overlapping: Set<string>;
}

/** Adds the intersections, until there is none to add. */
function closed(patterns: string[]): string[] {
  const family = new Set(patterns);
  const queue = [...family];
  const done = new ByFirstSegment();
  for (const next of queue) {
    for (const other of done.near(next)) {
      if (!overlap(next, other) || lies(next, other) || lies(other, next)) continue;
      const common = intersection(next, other);
      if (common === undefined) throw inexpressible(next, other);
      if (!family.has(common)) {
        family.add(common);
        queue.push(common);
      }
    }
    done.add(next);
  }
  return [...family];
}

function inexpressible(a: string, b: string): OperatorError {
  return new OperatorError(
    `the repository patterns ${a} and ${b} overlap and neither lies within the other: for a repository that matches both, zot would apply the longer pattern alone and forget the other's rules; write them as whole path segments (team/**, team/*, team/name), one within the other`,
  );
}

function relatives(family: readonly string[]): Map<string, Relatives> {
  const found = new Map(
    family.map((pattern) => [pattern, { containing: new Set<string>(), overlapping: new Set<string>() }]),
  );
  const before = new ByFirstSegment();
  for (const b of family) {
    for (const a of before.near(b)) {
      if (!overlap(a, b)) continue;
      found.get(a)?.overlapping.add(b);
      found.get(b)?.overlapping.add(a);
      if (lies(b, a)) found.get(b)?.containing.add(a);
      else if (lies(a, b)) found.get(a)?.containing.add(b);
    }
    before.add(b);
  }
  return found;
}

/** Patterns, found again by what they might overlap with: two whose first segments are plain words that differ do not. */
class ByFirstSegment {
  readonly #all: string[] = [];
  readonly #open: string[] = [];
  readonly #byWord = new Map<string, string[]>();

  add(pattern: string): void {
    this.#all.push(pattern);
    const word = firstWord(pattern);
    const alike = word === undefined ? this.#open : (this.#byWord.get(word) ?? []);
    alike.push(pattern);
    if (word !== undefined) this.#byWord.set(word, alike);
  }

  near(pattern: string): readonly string[] {
    const word = firstWord(pattern);
    return word === undefined ? this.#all : [...this.#open, ...(this.#byWord.get(word) ?? [])];
  }
}

/** The first path segment where it stands for itself alone. */
const firstWord = (pattern: string) => /^[a-z0-9._-]+(?=\/|$)/.exec(pattern)?.[0];

const lies = (inner: string, outer: string) => contains(outer, inner) || intersection(inner, outer) === inner;

function lengthFor(
  pattern: string,
  { containing, overlapping }: Relatives,
  lengths: ReadonlyMap<string, number>,
): number {
  const natural = Buffer.byteLength(pattern);
  const taken = new Set([...overlapping].map((other) => lengths.get(other)));
  const floor = Math.max(0, ...[...containing].map((other) => lengths.get(other) ?? 0));
  const fits = (length: number) => length > floor && !taken.has(length);
  let length = natural;
  // One byte more than natural cannot be had.
  while (!fits(length)) length += length === natural ? 2 : 1;
  return length;
}

/** A pattern with alternatives holds in each of its parts. */
function sourcesByPart(sources: readonly string[]): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const source of sources) {
    for (const part of expandAlternatives(source)) parts.set(part, [...(parts.get(part) ?? []), source]);
  }
  return parts;
}
