import { RE2JS } from "re2js";
import { z } from "zod";
import { parseDuration } from "../zot/file/duration";
import { isLoopback } from "./loopback";

/**
 * The words settings are made of. Every message says what is allowed; the caller adds the key and the value
 * (see ./errors.ts).
 */

/** Repositories under it are the program's own (src/config/proof.ts). */
export const RESERVED_NAMESPACE = "harden-zot";

const says = (allowed: string) => ({ error: allowed });

/** An object that refuses unknown keys by listing the known ones. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  const allowed = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `allowed here: ${allowed}` : `must be an object with: ${allowed}`,
  });
}

/** An absolute http(s) URL without query or fragment; a trailing slash is dropped. */
export const baseUrl = z
  .string(says("must be an http:// or https:// URL"))
  .refine(
    isBaseUrl,
    "must be an http:// or https:// URL without query, fragment, user or password: a host name or address, a port, a path of letters, digits and . _ ~ -",
  )
  .transform((url) => url.replace(/\/+$/, ""));

/** It stands in lines for a shell, and in headers: no more than host, port and a plain path. */
function isBaseUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:\/\/([\w.-]+|\[[\da-f:.]+\])(:\d+)?(\/[\w.~-]+)*\/*$/i.test(text);
}

/** A URL that keys and cookies may travel to: over TLS, or without leaving the machine. */
export const safeUrl = baseUrl.refine(
  (url) => !url.startsWith("http:") || !URL.canParse(url) || isLoopback(new URL(url).hostname),
  "must be an https:// URL, since API keys and login cookies travel to it in every request and over http anybody on the way reads them: put TLS in front of it (http is for loopback alone)",
);

/** Go duration as zot reads it: 30s, 15m, 1h30m. */
export const goDuration = z
  .string(says('must be a Go duration such as "30s", "15m" or "24h"'))
  .regex(/^(\d+(\.\d+)?(ms|s|m|h))+$/, 'must be a Go duration such as "30s", "15m" or "24h"');

/**
 * How long a request or an answer may take: a Go duration of at least a second. zot takes a bare number for nanoseconds, and 0 or
 * less for no bound at all (docs/facts.md, timeouts).
 */
export const requestTimeout = z
  .string({ error: ({ input }) => durationWanted(input) })
  .refine(lastsASecond, { error: ({ input }) => durationWanted(input) });

function durationWanted(input: unknown): string {
  const seconds = /^\d+$/.test(String(input)) ? ` write "${input}s" for ${input} seconds;` : "";
  return `must be a Go duration of at least 1s, such as "30m" or "90s";${seconds} zot takes a number without a unit for nanoseconds`;
}

function lastsASecond(text: string): boolean {
  const parsed = parseDuration(text);
  return "milliseconds" in parsed && parsed.milliseconds >= 1000;
}

const MILLISECONDS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A period of whole minutes, hours or days ("90d"), read as milliseconds. */
export const period = z
  .string(says('must be a period such as "12h" or "90d"'))
  .regex(/^[1-9]\d*[mhd]$/, 'must be a period such as "30m", "12h" or "90d"')
  .transform((text) => Number(text.slice(0, -1)) * MILLISECONDS[text.slice(-1) as keyof typeof MILLISECONDS]);

export const port = z
  .int(says("must be a port, 1 to 65535"))
  .min(1, "must be a port, 1 to 65535")
  .max(65535, "must be a port, 1 to 65535");

export const flag = z.boolean(says("must be true or false"));

/**
 * A word that reaches a remote command line. Login shells differ (fish, zsh, bash, dash) in quoting, so only
 * characters that no shell interprets are allowed.
 */
const PLAIN_WORD = /^[A-Za-z0-9._/@:%+=-]+$/;
export const plainWord = z
  .string(says("must be text"))
  .regex(
    PLAIN_WORD,
    "may hold only letters, digits and . _ / @ : % + = - (it becomes a word of a remote command line)",
  );

/** zot expands no ~, so every path on the host is absolute. */
export const remotePath = z
  .string(says("must be an absolute path on the host"))
  .regex(
    /^\/[A-Za-z0-9._/@:%+=-]+$/,
    "must be an absolute path on the host, of letters, digits and . _ / @ : % + = - only (no ~, no spaces)",
  )
  .refine((path) => !path.split("/").includes(".."), "must not climb with ..");

/** Name of an Authentik account or group, and of what is derived from it. */
export const identityName = z
  .string(says("must be text"))
  .regex(
    /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/,
    "must be lower-case letters, digits, dots, dashes or underscores, such as zot-ci",
  );

/** zot lower-cases group names that it uses as keys, never those it compares: names are therefore taken as they are. */
export const groupName = z
  .string(says("must be the name of a group"))
  .regex(
    /^[^\s"\\\p{C}]([^"\\\p{C}]*[^\s"\\\p{C}])?$/u,
    "must be the name of a group in one line, without quotes, backslashes or spaces around it",
  );

export const regularExpression = z
  .string(says("must be a regular expression (RE2)"))
  .refine(isRegularExpression, "must be a regular expression that RE2 can read (no look-around, no back-references)")
  .refine((pattern) => !pattern.includes("'"), "must not hold a single quote (it is written into a CEL string)");

/** By itself, and where it is put into a group: an open \Q would take the group's end with it. */
function isRegularExpression(pattern: string): boolean {
  try {
    return [pattern, wholly(pattern)].every((text) => RE2JS.compile(text));
  } catch {
    return false;
  }
}

/** What matches nothing but a whole text: anchors of one's own hold for one side of an `|` alone. */
export const wholly = (pattern: string) => `^(?:${pattern})$`;

export function oneOf<const Values extends readonly [string, ...string[]]>(...values: Values) {
  return z.enum(values, says(`must be one of: ${values.join(", ")}`));
}

export function listOf<Item extends z.ZodType>(item: Item) {
  return z.array(item, says("must be a list"));
}
