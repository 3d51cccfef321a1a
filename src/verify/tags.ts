import { RE2JS } from "re2js";
import type { TagRules } from "../config/compile";
import { wholly } from "../settings/vocabulary";

/** Tag grammar of the OCI distribution spec v1.1. */
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** How many strings are made of a format before it is said to allow too few. */
const ATTEMPTS = 120;

/** How many tags the verification puts in place for itself. */
const PLACED = 4;

/**
 * The same tags every time, that the rules take as new ones.
 * @returns 4, or fewer when the format does not allow more
 */
export async function fixedTags(rules: TagRules): Promise<string[]> {
  return (await tagsOf(rules, { seed: 1 })).slice(0, PLACED);
}

/** A format that allows fewer tags may have all of them in use. */
const ENOUGH = 50;

/** A tag that nobody has pushed yet, as far as chance goes; undefined when the format allows too few for that. */
export async function freshTag(rules: TagRules): Promise<string | undefined> {
  const placed = await fixedTags(rules);
  const tags = (await tagsOf(rules, {})).filter((tag) => !placed.includes(tag));
  return tags.length < ENOUGH ? undefined : tags[Math.floor(Math.random() * tags.length)];
}

/** A tag that nobody has pushed yet and the format refuses; undefined when there is no format, or none was found. */
export function misshapenTag({ format, mutable }: TagRules): string | undefined {
  if (format === undefined) return undefined;
  const chance = Math.random().toString(36).slice(2);
  return [`not-a-version-${chance}`, `_${chance}`, `${chance}..`, `0${Date.now()}`, `X-${chance}.`].find(
    (tag) => !matches(format, tag) && !mutable.includes(tag),
  );
}

async function tagsOf({ format, mutable }: TagRules, { seed }: { seed?: number }): Promise<string[]> {
  // Loaded only here: it takes 100 ms.
  const { sample, stringMatching } = await import("fast-check");
  const expression = readable(format ?? "v0[.]0[.][0-9]{1,8}");
  if (!expression) return [];
  const made = sample(stringMatching(expression), { numRuns: ATTEMPTS, ...(seed === undefined ? {} : { seed }) });
  const fitting = [...new Set(made)].filter(
    (tag) => TAG.test(tag) && !mutable.includes(tag) && (format === undefined || matches(format, tag)),
  );
  return fitting.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

const POSIX_CLASSES: Record<string, string> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  digit: "0-9",
  lower: "a-z",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

/** RE2 in JavaScript's words, as far as formats of tags use what only RE2 has; undefined for the rest. */
function readable(format: string): RegExp | undefined {
  const text = format
    .replace(/\[:(\w+):\]/g, (whole, name) => POSIX_CLASSES[name] ?? whole)
    .replace(/\\A/g, "^")
    .replace(/\\z/g, "$")
    .replace(/\\([pP])(\w)/g, "\\$1{$2}")
    .replace(/\\([-_])/g, "$1")
    .replace(/\(\?[a-z]*:/g, "(?:")
    .replace(/^\(\?[a-z]+\)/, "");
  try {
    return new RegExp(wholly(text), "u");
  } catch {
    return undefined;
  }
}

/** As zot does, by RE2. */
const matches = (format: string, tag: string) => RE2JS.matches(format, tag);
