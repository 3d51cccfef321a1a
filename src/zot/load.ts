import { isObject } from "./file/decode";
import type { ZotConfig } from "./types";

/**
 * The part of a configuration that decides about access, as zot holds it after loading (zot 2.1.20: viper, then
 * mapstructure with weak typing). What that does to a file, and what therefore surprises people:
 * - every key is lower-cased, repository patterns and group names among them; names in lists are not;
 * - an empty object or null disappears: `"docker.io/**": {}` is no pattern at all, and an accessControl with
 *   nothing in it is no access control;
 * - a bare value where a list is expected is a list of one.
 */
export interface LoadedConfig {
  /** undefined: no authorization at all, whoever is authenticated may do everything. */
  accessControl: LoadedAccessControl | undefined;
  realm: string;
  /** OpenID providers or anything that a password or key can be checked against. */
  authentication: boolean;
  /** htpasswd, LDAP or API keys. */
  basicCredentials: boolean;
  apiKeys: boolean;
  openId: boolean;
  dedupe: boolean;
  metricsPath: string | undefined;
  search: boolean;
  ui: boolean;
}

export interface LoadedAccessControl {
  repositories: ReadonlyMap<string, LoadedRepository>;
  adminPolicy: LoadedPolicy;
  /** Group name to its members; serves htpasswd users only. */
  groups: ReadonlyMap<string, readonly string[]>;
  metrics: { users: readonly string[]; anonymousPolicy: readonly string[] };
}

export interface LoadedRepository {
  policies: readonly LoadedPolicy[];
  defaultPolicy: readonly string[];
  anonymousPolicy: readonly string[];
}

export interface LoadedPolicy {
  users: readonly string[];
  groups: readonly string[];
  actions: readonly string[];
  conditions: readonly { expression: string; message: string }[];
}

/** Providers zot knows (zot 2.1.20, config.IsOpenIDSupported, config.IsOauth2Supported). */
const PROVIDERS: ReadonlySet<string> = new Set(["google", "gitlab", "oidc", "github"]);

/**
 * @throws RangeError for bearer authentication, whose answers come from another server's tokens
 */
export function loadConfig(config: ZotConfig): LoadedConfig {
  const root = section(viper(config));
  const http = section(root.http);
  const auth = section(http.auth);
  if (auth.bearer !== undefined) throw new RangeError("http.auth.bearer: decisions by bearer tokens are not modelled");
  const extensions = section(root.extensions ?? emptyExtensions(config));
  const metrics = extensions.metrics === undefined ? undefined : section(extensions.metrics);
  const openId = Object.keys(section(section(auth.openid).providers)).some((provider) => PROVIDERS.has(provider));
  const basicCredentials = isText(section(auth.htpasswd).path) || auth.ldap !== undefined || isTrue(auth.apikey, false);
  return {
    accessControl: http.accesscontrol === undefined ? undefined : accessControl(section(http.accesscontrol)),
    realm: String(http.realm ?? ""),
    authentication: basicCredentials || openId,
    basicCredentials,
    apiKeys: isTrue(auth.apikey, false),
    openId,
    dedupe: isTrue(section(root.storage).dedupe, true),
    metricsPath:
      metrics && isTrue(metrics.enable, true) ? text(section(metrics.prometheus).path, "/metrics") : undefined,
    search: extensions.search !== undefined && isTrue(section(extensions.search).enable, true),
    ui: extensions.ui !== undefined && isTrue(section(extensions.ui).enable, true),
  };
}

/** `"extensions": {"metrics": {}}` switches metrics on, but not when any extension beside it has something in it. */
function emptyExtensions(config: ZotConfig): Section {
  return section(section(lowerCased(config)).extensions);
}

function accessControl(raw: Section): LoadedAccessControl {
  const metrics = section(raw.metrics);
  return {
    repositories: new Map(Object.entries(section(raw.repositories)).map(([key, value]) => [key, repository(value)])),
    adminPolicy: policy(raw.adminpolicy),
    groups: new Map(
      Object.entries(section(raw.groups)).map(([name, group]) => [name, texts(section(group).users)] as const),
    ),
    metrics: { users: texts(metrics.users), anonymousPolicy: texts(metrics.anonymouspolicy) },
  };
}

function repository(raw: unknown): LoadedRepository {
  const { policies, defaultpolicy, anonymouspolicy } = section(raw);
  return {
    policies: list(policies).map(policy),
    defaultPolicy: texts(defaultpolicy),
    anonymousPolicy: texts(anonymouspolicy),
  };
}

function policy(raw: unknown): LoadedPolicy {
  const { users, groups, actions, conditions } = section(raw);
  return {
    users: texts(users),
    groups: texts(groups),
    actions: texts(actions),
    conditions: list(conditions).map((condition) => {
      const { expression, message } = section(condition);
      return { expression: text(expression, ""), message: text(message, "") };
    }),
  };
}

type Section = Record<string, unknown>;

/** What viper keeps: keys lower-cased at every depth; empty objects and nulls gone, except inside lists, which it does not enter. */
export function viper(value: unknown): unknown {
  if (Array.isArray(value)) return lowerCased(value);
  if (!isObject(value)) return value ?? undefined;
  const entries = Object.entries(value).flatMap(([key, item]) => {
    const kept = viper(item);
    return kept === undefined ? [] : [[key.toLowerCase(), kept] as const];
  });
  return entries.length === 0 ? undefined : fromEntries(entries);
}

function lowerCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.every(isString) ? value : value.map(lowerCased);
  if (!isObject(value)) return value;
  return fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), lowerCased(item)]));
}

/** Without a prototype: a pattern may be called `constructor`. */
function fromEntries(entries: Iterable<readonly [string, unknown]>): Section {
  const object: Section = Object.create(null);
  for (const [key, value] of entries) object[key] = value;
  return object;
}

const section = (value: unknown): Section => (isObject(value) ? value : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
const text = (value: unknown, otherwise: string): string => (isText(value) ? value : otherwise);
const isString = (value: unknown): value is string => typeof value === "string";
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function texts(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every(isString)) return value;
  return list(value).map((item) => (typeof item === "boolean" ? String(Number(item)) : String(item ?? "")));
}

/** mapstructure reads "true", "1", 1 and their like as booleans too. */
function isTrue(value: unknown, otherwise: boolean): boolean {
  if (value === undefined || value === "") return value === "" ? false : otherwise;
  return value === true || /^(1|t|true)$/i.test(String(value)) || (typeof value === "number" && value !== 0);
}
