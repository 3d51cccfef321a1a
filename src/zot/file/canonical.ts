import * as z from "zod";
import { duration, isObject, unwrap } from "./decode";

/**
 * A configuration whose values are valid as its schema spells it: keys in the schema's case, a bare value where a list is wanted as a list,
 * numbers that are text as text, nulls gone. Names that the operator chose (patterns, groups), durations and keys that the schema
 * does not know stay as written.
 */
export function canonical(schema: z.core.$ZodType, value: unknown): unknown {
  const bare = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (bare === duration) return typeof value === "number" ? goDuration(value / 1e6) : value;
  const inner = unwrap(bare);
  if (inner instanceof z.ZodObject) return canonicalObject(inner, value as Record<string, unknown>);
  if (inner instanceof z.ZodArray) return asList(value).map((item) => canonical(inner.element, item));
  if (inner instanceof z.ZodRecord) {
    const entries = Object.entries(value as object).filter(([, item]) => item !== null);
    return Object.fromEntries(entries.map(([key, item]) => [key, canonical(inner.valueType, item)]));
  }
  return inner instanceof z.ZodUnknown ? value : z.parse(bare, value);
}

function canonicalObject({ shape }: z.ZodObject, value: Record<string, unknown>): Record<string, unknown> {
  const known = new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key]));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([given, item]) => {
        const key = known.get(given.toLowerCase());
        return key === undefined ? [given, item] : [key, canonical(shape[key] as z.core.$ZodType, item)];
      }),
  );
}

function asList(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) && Object.keys(value).length === 0 ? [] : [value];
}

/** Milliseconds as Go's time.ParseDuration reads them. */
function goDuration(milliseconds: number): string {
  const units = [
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
    ["ms", 1],
  ] as const;
  let rest = Math.round(milliseconds);
  const text = units.map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count}${unit}` : "";
  });
  return text.join("") || "0s";
}
