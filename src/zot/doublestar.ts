/**
 * Repository patterns as zot matches them: Go's github.com/bmatcuk/doublestar/v4 `Match`, followed step by step
 * (its backtracking has corners that a translation to regular expressions would lose: `a**` is `a*`, `x/**`
 * matches `x`, an alternative restarts a path segment). Recorded answers: tests/vectors/doublestar.json.
 */

export class BadPattern extends Error {
  constructor(pattern: string) {
    super(`${JSON.stringify(pattern)} is not a valid pattern: a [class] or {alternative} is not closed`);
  }
}

/** @throws BadPattern where doublestar answers ErrBadPattern */
export function matchPattern(pattern: string, name: string): boolean {
  return new Matcher(pattern, name).run();
}

export function isValidPattern(pattern: string): boolean {
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === "\\") {
      if (++i >= pattern.length) return false;
    } else if (c === "[") {
      i = endOfClass(pattern, i);
      if (i < 0) return false;
    } else if (c === "{") {
      depth++;
    } else if (c === "}" && --depth < 0) {
      return false;
    }
  }
  return depth === 0;
}

/** Index of the `]` that closes the class opened at `open`; -1 if none does or the class is empty. */
function endOfClass(pattern: string, open: number): number {
  let i = open + 1;
  if (pattern[i] === "^" || pattern[i] === "!") i++;
  if (i >= pattern.length || pattern[i] === "]") return -1;
  return indexOfUnescaped(pattern, "]", i);
}

function indexOfUnescaped(text: string, wanted: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === wanted) return i;
  }
  return -1;
}

/** The alternatives of the group opened at `open`, and where it ends; undefined if it is not closed. */
export function alternativesAt(pattern: string, open: number): { alternatives: string[]; rest: string } | undefined {
  const alternatives: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let i = start; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === "\\") i++;
    else if (c === "{") depth++;
    else if (c === "," && depth === 0) {
      alternatives.push(pattern.slice(start, i));
      start = i + 1;
    } else if (c === "}" && depth-- === 0) {
      alternatives.push(pattern.slice(start, i));
      return { alternatives, rest: pattern.slice(i + 1) };
    }
  }
  return undefined;
}

interface Backtrack {
  pattern: number;
  name: number;
}

/** One attempt: positions in pattern and name, and where to resume when a `*` or `**` took too little. */
class Matcher {
  #at = 0;
  #nameAt = 0;
  #startOfSegment = true;
  #star: Backtrack | undefined;
  #doubleStar: Backtrack | undefined;

  constructor(
    readonly pattern: string,
    readonly name: string,
  ) {}

  run(): boolean {
    while (this.#nameAt < this.name.length) {
      const step = this.#at < this.pattern.length ? this.#step() : "failed";
      if (typeof step === "boolean") return step;
      if (step === "failed" && !this.#resume()) return this.#refuse();
    }
    return matchesNothing(this.pattern.slice(this.#at));
  }

  #step(): boolean | "advanced" | "failed" {
    switch (this.pattern[this.#at]) {
      case "*":
        return this.#stars();
      case "?":
        return this.#anyCharacter();
      case "[":
        return this.#characterClass();
      case "{":
        return this.#alternatives();
      default:
        return this.#literal();
    }
  }

  #stars(): boolean | "advanced" {
    this.#at++;
    if (this.pattern[this.#at] === "*") {
      this.#at++;
      // Only a whole segment `**` crosses slashes; elsewhere it is a plain `*`.
      if (this.#startOfSegment) {
        if (this.#at >= this.pattern.length) return true;
        if (this.pattern[this.#at] === "/") {
          this.#at++;
          this.#doubleStar = { pattern: this.#at, name: this.#nameAt };
          this.#star = undefined;
          return "advanced";
        }
      }
    }
    this.#startOfSegment = false;
    this.#star = { pattern: this.#at, name: this.#nameAt };
    return "advanced";
  }

  #anyCharacter(): "advanced" | "failed" {
    this.#startOfSegment = false;
    if (this.name[this.#nameAt] === "/") return "failed";
    this.#at++;
    this.#nameAt += widthAt(this.name, this.#nameAt);
    return "advanced";
  }

  #characterClass(): "advanced" | "failed" {
    this.#startOfSegment = false;
    const open = this.#at;
    const negated = this.pattern[open + 1] === "!" || this.pattern[open + 1] === "^";
    this.#at += negated ? 2 : 1;
    if (this.#at >= this.pattern.length || this.pattern[this.#at] === "]") throw new BadPattern(this.pattern);
    const found = this.#classHolds(this.name.codePointAt(this.#nameAt) ?? 0);
    if (found === negated) {
      if (this.#at >= this.pattern.length) throw new BadPattern(this.pattern);
      return "failed";
    }
    const close = indexOfUnescaped(this.pattern, "]", this.#at);
    if (close < 0) throw new BadPattern(this.pattern);
    this.#at = close + 1;
    this.#nameAt += widthAt(this.name, this.#nameAt);
    return "advanced";
  }

  #classHolds(character: number): boolean {
    let low: number | undefined;
    while (this.#at < this.pattern.length && this.pattern[this.#at] !== "]") {
      const isDash = this.pattern[this.#at] === "-";
      const isRange = low !== undefined && isDash && this.#at + 1 < this.pattern.length;
      if (isRange && this.pattern[this.#at + 1] !== "]") {
        this.#at++;
        const high = this.#classMember();
        if ((low as number) <= character && character <= high) return true;
        low = undefined;
        continue;
      }
      low = this.#classMember();
      if (low === character) return true;
    }
    return false;
  }

  #classMember(): number {
    if (this.pattern[this.#at] === "\\") this.#at++;
    const member = this.pattern.codePointAt(this.#at) ?? 0xfffd;
    this.#at += widthAt(this.pattern, this.#at);
    return member;
  }

  #alternatives(): boolean {
    this.#startOfSegment = false;
    const group = alternativesAt(this.pattern, this.#at);
    if (group === undefined) throw new BadPattern(this.pattern);
    const before = this.pattern.slice(0, this.#at);
    return group.alternatives.some((alternative) => {
      const attempt = new Matcher(before + alternative + group.rest, this.name);
      attempt.#at = this.#at;
      attempt.#nameAt = this.#nameAt;
      attempt.#star = this.#star && { ...this.#star };
      attempt.#doubleStar = this.#doubleStar && { ...this.#doubleStar };
      return attempt.run();
    });
  }

  #literal(): "advanced" | "failed" {
    const at = this.pattern[this.#at] === "\\" ? this.#at + 1 : this.#at;
    if (at >= this.pattern.length) throw new BadPattern(this.pattern);
    const wanted = this.pattern.codePointAt(at);
    if (wanted !== this.name.codePointAt(this.#nameAt)) return "failed";
    this.#at = at + widthAt(this.pattern, at);
    this.#nameAt += widthAt(this.name, this.#nameAt);
    this.#startOfSegment = wanted === SLASH;
    return "advanced";
  }

  /** Lets the last `*` take one character more, else the last `**` one segment more. */
  #resume(): boolean {
    if (this.#star !== undefined && this.name[this.#star.name] !== "/") {
      this.#star.name += widthAt(this.name, this.#star.name);
      this.#at = this.#star.pattern;
      this.#nameAt = this.#star.name;
      this.#startOfSegment = false;
      return true;
    }
    if (this.#doubleStar === undefined) return false;
    const slash = this.name.indexOf("/", this.#doubleStar.name);
    if (slash < 0) return false;
    this.#doubleStar.name = slash + 1;
    this.#at = this.#doubleStar.pattern;
    this.#nameAt = slash + 1;
    this.#startOfSegment = true;
    return true;
  }

  #refuse(): false {
    if (this.#at < this.pattern.length && !isValidPattern(this.pattern.slice(this.#at)))
      throw new BadPattern(this.pattern);
    return false;
  }
}

const SLASH = 0x2f;
const MATCH_NOTHING: ReadonlySet<string> = new Set(["", "*", "**", "/**", "**/", "/**/"]);

/** Whether the rest of a pattern is satisfied by the end of the name. */
function matchesNothing(rest: string): boolean {
  if (MATCH_NOTHING.has(rest)) return true;
  if (rest[0] === "{") {
    const group = alternativesAt(rest, 0);
    if (group === undefined) throw new BadPattern(rest);
    return group.alternatives.some((alternative) => matchesNothing(alternative + group.rest));
  }
  if (!isValidPattern(rest)) throw new BadPattern(rest);
  return false;
}

function widthAt(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
}
