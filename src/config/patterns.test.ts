import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchPattern } from "../zot/doublestar";
import { commonNames, contains, expandAlternatives, intersection, overlap, padded, sampleName } from "./patterns";

const segment = fc.constantFrom("a", "b", "ab", "*", "a*", "*b", "?", "[ab]", "**", "{a,b}", "{a,ab*}");
const pattern = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));
const PARTS = ["a", "b", "ab", "ba", "c"];
const under = (names: string[]) => names.flatMap((name) => PARTS.map((part) => `${name}/${part}`));
/** Every name of up to three of the parts. */
const NAMES = [...PARTS, ...under(PARTS), ...under(under(PARTS))];
const matched = (pattern: string) => NAMES.filter((name) => matchPattern(pattern, name));

describe("patterns", () => {
  it("overlap wherever a name matches both", () => {
    fc.assert(
      fc.property(pattern, pattern, (a, b) => {
        const common = matched(a).filter((name) => matchPattern(b, name));
        expect(overlap(a, b) || common.length === 0).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it("contain only what matches as well", () => {
    fc.assert(
      fc.property(pattern, pattern, (outer, inner) => {
        if (contains(outer, inner)) expect(matched(inner).filter((name) => !matchPattern(outer, name))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it("intersect in exactly the names that match both", () => {
    fc.assert(
      fc.property(pattern, pattern, (a, b) => {
        const [one = "", other = ""] = [expandAlternatives(a)[0], expandAlternatives(b)[0]];
        const common = overlap(one, other) ? intersection(one, other) : undefined;
        if (common === undefined) return;
        expect(matched(common)).toEqual(matched(one).filter((name) => matchPattern(other, name)));
      }),
      { numRuns: 1000 },
    );
  });

  it("match what their alternatives match, and stay the same when made longer", () => {
    fc.assert(
      fc.property(pattern, fc.constantFrom(...NAMES), fc.integer({ min: 2, max: 9 }), (of, tried, more) => {
        const matches = matchPattern(of, tried);
        expect(expandAlternatives(of).some((one) => matchPattern(one, tried))).toBe(matches);
        const longer = padded(of, of.length + more);
        expect([longer.length, matchPattern(longer, tried)]).toEqual([of.length + more, matches]);
      }),
    );
  });

  it("have a sample that they match", () => {
    fc.assert(
      fc.property(pattern, (of) => {
        expect([sampleName(of), matchPattern(of, sampleName(of))]).toEqual([sampleName(of), true]);
      }),
    );
  });

  it.each([
    ["a/**", "a", true],
    ["a/**", "ab/**", false],
    ["*/web", "apps/*", true],
    ["docker.io/**", "docker.io", true],
    ["[a-c]x", "?y", false],
    ["a*c", "*b*", true],
  ])("%s and %s overlap: %s", (a, b, expected) => {
    expect([overlap(a, b), overlap(b, a)]).toEqual([expected, expected]);
  });

  it("know names that two have in common", () => {
    expect(commonNames("{apps,web}/*", "*/tools")).toEqual(["apps/tools", "web/tools"]);
    expect(commonNames("a/**", "b/**")).toEqual([]);
  });
});
