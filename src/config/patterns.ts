import { alternativesAt, isValidPattern, matchPattern } from "../zot/doublestar";

/**
 * What two patterns have in common, over the names a repository can have. Patterns are read without alternatives
 * (see expandAlternatives) as path segments, of which `**` stands for any number.
 */

/** `{a,b}/**` as `a/**` and `b/**`. */
export function expandAlternatives(pattern: string): string[] {
  const open = indexOfOpening(pattern);
  const group = open < 0 ? undefined : alternativesAt(pattern, open);
  if (group === undefined) return [pattern];
  return group.alternatives.flatMap((one) => expandAlternatives(pattern.slice(0, open) + one + group.rest));
}

/** Whether some repository name matches both. Errs on the side of yes where names could be empty. */
export function overlap(a: string, b: string): boolean {
  if (!prefixesAgree(a, b)) return false;
  return expanded(a).some((one) => expanded(b).some((other) => segmentsOverlap(one, 0, other, 0)));
}

/** Where doublestar does not let stars stand for nothing at the end of a name, though it does elsewhere. */
const PECULIAR = /\*\*\*|\*\*\/\*\*/;

/** Whether every name that matches `inner` matches `outer`. Never errs on the side of yes. */
export function contains(outer: string, inner: string): boolean {
  if (outer === inner || outer === "**") return true;
  if (!prefixesAgree(outer, inner) || PECULIAR.test(outer)) return false;
  return expanded(inner).every((one) => expanded(outer).some((other) => segmentsContain(other, 0, one, 0)));
}

/**
 * The pattern of the names that match both, which overlap; undefined where one pattern cannot say it.
 * Takes patterns without alternatives.
 */
export function intersection(a: string, b: string): string | undefined {
  if ([a, b].some((pattern) => PECULIAR.test(pattern) || /[^/]\*\/\*\*$/.test(pattern)))
    return contains(a, b) ? b : contains(b, a) ? a : undefined;
  return commonSegments(segmentsOf(a), segmentsOf(b))?.join("/");
}

/** Names that match both patterns, one for each way in which they overlap. */
export function commonNames(a: string, b: string): string[] {
  return expandAlternatives(a).flatMap((one) =>
    expandAlternatives(b)
      .filter((other) => overlap(one, other))
      .map((other) => sampleName(intersection(one, other) ?? (contains(one, other) ? other : one))),
  );
}

/** A name that the pattern matches; the pattern itself where none is known, as of one that is not valid. */
export function sampleName(pattern: string): string {
  const [first] = expanded(pattern);
  if (first === undefined) return pattern;
  const segments = first.flatMap(({ text, tokens }) =>
    text === "**" ? ["any"] : [tokens.map((token) => (token === STAR ? "x" : (token[0] ?? ""))).join("")],
  );
  const name = segments.join("/");
  return matchPattern(pattern, name) ? name : pattern;
}

/**
 * The same pattern, that many bytes long: an empty alternative in front changes nothing but the length, which is
 * what zot goes by. One byte more cannot be had.
 */
export function padded(pattern: string, length: number): string {
  const missing = length - Buffer.byteLength(pattern);
  if (missing === 0) return pattern;
  if (missing < 2) throw new RangeError(`${pattern} cannot be made ${length} bytes long`);
  return `{${",".repeat(missing - 2)}}${pattern}`;
}

function indexOfOpening(pattern: string): number {
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === "{") return i;
    if (pattern[i] === "\\") i++;
    else if (pattern[i] === "[") i = Math.max(i, pattern.indexOf("]", i + 2));
  }
  return -1;
}

/** One path segment: its text, and per character the set of characters it takes, or a star. */
interface Segment {
  text: string;
  tokens: readonly Token[];
}
type Token = string | typeof STAR;
const STAR = Symbol("star");

/** Characters of repository names (OCI distribution-spec v1.1, `name`). */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789._-";

interface Parsed {
  prefix: string;
  alternatives: readonly (readonly Segment[])[];
}

const parsed = new Map<string, Parsed>();

function parse(pattern: string): Parsed {
  let known = parsed.get(pattern);
  if (known === undefined) {
    const alternatives = isValidPattern(pattern) ? expandAlternatives(pattern).map(segmentsOf) : [];
    known = { prefix: literalPrefix(pattern), alternatives };
    if (parsed.size >= 10_000) parsed.clear();
    parsed.set(pattern, known);
  }
  return known;
}

const expanded = (pattern: string) => parse(pattern).alternatives;

function segmentsOf(pattern: string): Segment[] {
  return pattern.split("/").map((text) => ({ text, tokens: text === "**" ? [] : tokensOf(text) }));
}

function tokensOf(segment: string): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < segment.length; i++) {
    const c = segment[i] as string;
    if (c === "*") {
      if (tokens.at(-1) !== STAR) tokens.push(STAR);
    } else if (c === "?") tokens.push(ALPHABET);
    else if (c === "[") {
      const close = segment.indexOf("]", i + 2);
      const members = segment.slice(i, close + 1);
      tokens.push([...ALPHABET].filter((character) => matchPattern(members, character)).join(""));
      i = close;
    } else tokens.push(c === "\\" ? (segment[++i] ?? "") : c);
  }
  return tokens;
}

/** Most pairs differ before the first wildcard. */
function prefixesAgree(a: string, b: string): boolean {
  const one = parse(a).prefix;
  const other = parse(b).prefix;
  return one.startsWith(other) || other.startsWith(one);
}

function literalPrefix(pattern: string): string {
  const wild = pattern.search(/[*?[{\\]/);
  if (wild < 0) return pattern;
  // `a/**` matches `a` too.
  return pattern.startsWith("/**", wild - 1) ? pattern.slice(0, wild - 1) : pattern.slice(0, wild);
}

const isAny = (segment: Segment | undefined) => segment?.text === "**";

function segmentsOverlap(a: readonly Segment[], i: number, b: readonly Segment[], j: number): boolean {
  const [one, other] = [a[i], b[j]];
  if (one === undefined && other === undefined) return true;
  if (isAny(one)) return segmentsOverlap(a, i + 1, b, j) || (other !== undefined && segmentsOverlap(a, i, b, j + 1));
  if (isAny(other)) return segmentsOverlap(a, i, b, j + 1) || (one !== undefined && segmentsOverlap(a, i + 1, b, j));
  if (one === undefined || other === undefined || !tokensOverlap(one.tokens, 0, other.tokens, 0)) return false;
  return segmentsOverlap(a, i + 1, b, j + 1);
}

function tokensOverlap(a: readonly Token[], i: number, b: readonly Token[], j: number): boolean {
  const one = a[i];
  const other = b[j];
  if (one === undefined && other === undefined) return true;
  if (one === STAR) return tokensOverlap(a, i + 1, b, j) || (other !== undefined && tokensOverlap(a, i, b, j + 1));
  if (other === STAR) return tokensOverlap(a, i, b, j + 1) || (one !== undefined && tokensOverlap(a, i + 1, b, j));
  if (one === undefined || other === undefined || ![...one].some((character) => other.includes(character)))
    return false;
  return tokensOverlap(a, i + 1, b, j + 1);
}

function segmentsContain(outer: readonly Segment[], i: number, inner: readonly Segment[], j: number): boolean {
  const [wide, narrow] = [outer[i], inner[j]];
  if (wide === undefined || (narrow === undefined && !isAny(wide))) return wide === narrow;
  if (narrow === undefined) return i === outer.length - 1;
  if (isAny(wide)) return segmentsContain(outer, i + 1, inner, j) || segmentsContain(outer, i, inner, j + 1);
  const tokens = mayEnd(inner, j + 1) && onlyAny(outer, i + 1) ? withLastStarFilled(wide.tokens) : wide.tokens;
  if (isAny(narrow) || !tokensContain(tokens, 0, narrow.tokens, 0)) return false;
  return segmentsContain(outer, i + 1, inner, j + 1);
}

const mayEnd = (segments: readonly Segment[], from: number) => segments.slice(from).every(isAny);
const onlyAny = (segments: readonly Segment[], from: number) => from === segments.length - 1 && isAny(segments[from]);

/** Where a last `**` stands for nothing, doublestar wants a character for the star before it: `a*` matches `a`, `a*` with a `/**` after it does not. */
function withLastStarFilled(tokens: readonly Token[]): readonly Token[] {
  return tokens.length > 1 && tokens.at(-1) === STAR ? [...tokens.slice(0, -1), ALPHABET, STAR] : tokens;
}

function tokensContain(outer: readonly Token[], i: number, inner: readonly Token[], j: number): boolean {
  const wide = outer[i];
  const narrow = inner[j];
  if (wide === undefined || (narrow === undefined && wide !== STAR)) return wide === narrow;
  if (wide === STAR) {
    return tokensContain(outer, i + 1, inner, j) || (narrow !== undefined && tokensContain(outer, i, inner, j + 1));
  }
  if (narrow === undefined || narrow === STAR || ![...narrow].every((character) => wide.includes(character))) {
    return false;
  }
  return tokensContain(outer, i + 1, inner, j + 1);
}

function commonSegments(a: readonly Segment[], b: readonly Segment[]): string[] | undefined {
  const [[one, ...restOfA], [other, ...restOfB]] = [a, b];
  if (one === undefined || other === undefined) {
    const rest = one === undefined ? b : a;
    return rest.length === 0 || (rest.length === 1 && isAny(rest[0])) ? [] : undefined;
  }
  if (isAny(one)) return restOfA.length === 0 ? b.map(({ text }) => text) : undefined;
  if (isAny(other)) return restOfB.length === 0 ? a.map(({ text }) => text) : undefined;
  const narrower = tokensContain(one.tokens, 0, other.tokens, 0)
    ? other
    : tokensContain(other.tokens, 0, one.tokens, 0)
      ? one
      : undefined;
  const rest = narrower && commonSegments(restOfA, restOfB);
  return narrower && rest && [narrower.text, ...rest];
}
