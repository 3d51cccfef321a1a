import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BadPattern, isValidPattern, matchPattern } from "../src/zot/doublestar";

/** First line: names. Then a pattern a line: is it valid, the names it matches, the names it answers with an error. */
const [names, ...patterns] = readFileSync(join(__dirname, "vectors", "doublestar.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line)) as [string[], ...[string, boolean, string[], string[]][]];

describe.each(patterns)("Go doublestar 4 on pattern %j", (pattern, valid, matching, failing) => {
  it.each(names)("and name %j", (name) => {
    const matches = () => matchPattern(pattern, name);
    if (failing.includes(name)) expect(matches).toThrow(BadPattern);
    else expect(matches()).toBe(matching.includes(name));
    expect(isValidPattern(pattern)).toBe(valid);
  });
});
