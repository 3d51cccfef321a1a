import type * as z from "zod";
import { OperatorError } from "../operator/error";
import { canonical } from "../zot/file/canonical";
import { isObject } from "../zot/file/decode";
import { laterConfigSchema } from "../zot/file/schema";
import type { ZotConfig } from "../zot/types";

/** A config.json that zot would load, in zot's own spelling. */
export interface FoundConfig {
  /** Without its secrets. */
  config: ZotConfig;
  /** Where secrets stood, such as `http.auth.openid.providers.oidc.clientsecret`; never what they are. */
  secrets: string[];
}

/**
 * @param text a config.json
 * @param name what messages call it
 * @throws OperatorError one sentence for each thing that zot would not load; none quotes a value
 */
export function readConfig(text: string, name: string): FoundConfig {
  const found = read(text, name, []);
  const { storage, http } = found.config as Partial<ZotConfig>;
  if (!storage?.rootDirectory || !http) {
    throw new OperatorError(
      `${name} has no storage.rootDirectory or no http section: is it the config.json that zot serves?`,
    );
  }
  if (http.auth && "bearer" in http.auth) {
    throw new OperatorError(
      `${name} has http.auth.bearer: zot then takes the tokens of another server alone, and no OIDC login, no API key and no anonymous pull; remove it there first`,
    );
  }
  return found;
}

/**
 * As readConfig, of a configuration that some zot may be running with: keys that zot 2.1.20 does not know are a newer one's, and
 * stay as they are; sections may be missing.
 * @throws OperatorError where it is no JSON object, or holds a value that no zot loads
 */
export function readRunning(text: string, name: string): FoundConfig {
  const { config, secrets } = read(text, name, ["unrecognized_keys"]);
  return { config: { ...config, storage: config.storage ?? {}, http: config.http ?? {} }, secrets };
}

/** @param taken kinds of issues that are no reason to refuse */
function read(text: string, name: string, taken: readonly string[]): FoundConfig {
  const value = withoutNulls(parseJson(text, name));
  const issues = laterConfigSchema.safeParse(value).error?.issues.filter(({ code }) => !taken.includes(code)) ?? [];
  if (issues.length > 0) throw new OperatorError(issues.flatMap(describe(name)).join("\n"));
  const secrets: string[] = [];
  return { config: withoutSecrets(canonical(laterConfigSchema, value), "", secrets) as ZotConfig, secrets };
}

/** JSON.parse quotes the text around a mistake, which may be a secret: only the place is told. */
function parseJson(text: string, name: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const lines = text.slice(0, positionOf(error as Error, text)).split("\n");
    throw new OperatorError(
      `${name} is not valid JSON (line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}): zot's config.json is wanted, \`jq .\` shows what is wrong`,
    );
  }
  if (!isObject(value)) throw new OperatorError(`${name} is not a JSON object: zot's config.json is wanted`);
  if (isDeeper(value, DEEPEST)) {
    throw new OperatorError(`${name} is nested more than ${DEEPEST} deep, as no config.json of zot's is: correct it`);
  }
  return value;
}

const DEEPEST = 100;

const isDeeper = (value: unknown, than: number): boolean =>
  typeof value === "object" &&
  value !== null &&
  (than === 0 || Object.values(value).some((one) => isDeeper(one, than - 1)));

/** V8 gives no position of an unexpected token: the shortest beginning that has such a mistake ends with it. */
function positionOf({ message }: Error, text: string): number {
  const [, position] = /position (\d+)/.exec(message) ?? [];
  if (position !== undefined) return Number(position);
  if (!hasWrongToken(text)) return text.length;
  let [shortest, longest] = [1, text.length];
  while (shortest < longest) {
    const length = Math.floor((shortest + longest) / 2);
    if (hasWrongToken(text.slice(0, length))) longest = length;
    else shortest = length + 1;
  }
  return shortest - 1;
}

function hasWrongToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return (error as Error).message.startsWith("Unexpected token");
  }
}

function describe(name: string) {
  return (issue: z.core.$ZodIssue): string[] => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map(
        (key) =>
          `${name}: ${pathOf([...issue.path, key])} is not a key that zot knows, and it does not start with one: correct or remove it`,
      );
    }
    return [`${name}: ${pathOf(issue.path)}: ${issue.message}; zot does not start with it`];
  };
}

/** `http.accessControl.repositories["**"].policies[0]` */
export function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    const key = String(part);
    if (!/^\w+$/.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)]));
}

/** Keys of zot's whose text is a secret: of OpenID providers, LDAP, S3, redis, clusters and event sinks. */
const SECRET = /secret|passw|token$|accesskey|accountkey|hashkey|encryptkey|authorization/i;
const NO_SECRET = /file$/i;

function isSecret(key: string, value: unknown, inHeaders: boolean): boolean {
  if (typeof value !== "string") return false;
  return inHeaders || (SECRET.test(key) && !NO_SECRET.test(key)) || /^\w+:\/\/[^/@]*:[^/@]+@/.test(value);
}

function withoutSecrets(value: unknown, path: string, found: string[]): unknown {
  const kept = (key: string, item: unknown, place: string): unknown[] => {
    if (!isSecret(key, item, /headers$/i.test(path))) return [withoutSecrets(item, place, found)];
    found.push(place);
    return [];
  };
  if (Array.isArray(value)) return value.flatMap((item, index) => kept("", item, `${path}[${index}]`));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      kept(key, item, path === "" ? key : `${path}.${key}`).map((clean) => [key, clean]),
    ),
  );
}
