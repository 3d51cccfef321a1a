import { posix } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Difference, leaves } from "../adopt/differences";
import { effective } from "../adopt/effective";
import { readRunning } from "../adopt/read";
import { renderConfig } from "../config/render";
import type { HostSettings, MovingKey } from "../settings/hosts";
import { registryOn, type Settings } from "../settings/settings";
import { isObject } from "../zot/file/decode";
import { parseDuration } from "../zot/file/duration";
import type { StorageConfig, ZotConfig } from "../zot/types";

/** What the first hardening does to the configuration that it finds, one sentence each. */
export interface Replaced {
  /** Moves or hides images, or cuts clients off, and no setting says that it is wanted. */
  stops: string[];
  /** Every other key that goes or changes. */
  told: string[];
}

interface Moving {
  /** Where it decides: the key itself, and within it what moves or hides images. */
  at: RegExp;
  does: string;
  /** What makes the two equal. */
  setting: string;
}

const EXTRA = "harden-zot:registry.extraConfig";

const MOVING: Record<MovingKey, Moving> = {
  "storage.rootDirectory": {
    at: /^storage\.rootDirectory$/,
    does: "the images that are there would not be served",
    setting: "harden-zot:registry.storage.rootDirectory, or rootDirectory of this host",
  },
  "storage.subPaths": {
    at: /^storage\.subPaths(\.[^.]+|\["(?:[^"\\]|\\.)*"\])?(\.(rootDirectory|dedupe|(storage|cache)Driver.*))?$/,
    does: "the images of these repositories would not be served from there",
    setting: `${EXTRA}, storage.subPaths`,
  },
  "storage.storageDriver": {
    at: /^storage\.storageDriver\b/,
    does: "the images that are there would not be served",
    setting: `harden-zot:registry.scaleOut.s3, or ${EXTRA}, storage.storageDriver`,
  },
  "storage.cacheDriver": {
    at: /^storage\.(cacheDriver\b|remoteCache$)/,
    does: "zot finds deduplicated blobs, users and API keys by it",
    setting: `harden-zot:registry.scaleOut.redis, or ${EXTRA}, storage.cacheDriver`,
  },
  "storage.dedupe": {
    at: /^storage\.dedupe$/,
    does: "zot rewrites its whole storage at its next start",
    setting: "harden-zot:registry.storage.dedupe",
  },
  "http.address": {
    at: /^http\.address$/,
    does: "whoever reaches the registry there would not any more",
    setting: "harden-zot:registry.listen.address, or listen of this host",
  },
  "http.port": {
    at: /^http\.port$/,
    does: "whoever reaches the registry there would not any more",
    setting: "harden-zot:registry.listen.port, or listen of this host",
  },
  "http.tls": {
    at: /^http\.tls\b/,
    does: "clients and proxies that speak TLS to it would not reach it any more",
    setting: `${EXTRA}, http.tls`,
  },
};

/**
 * Compares what a host serves before its first hardening with what it is to serve, zot's defaults taken into account.
 * @param found its config.json, as the agent hands it over
 * @throws OperatorError when that cannot be compared
 */
export function replaced(found: string, host: HostSettings, settings: Settings): Replaced {
  const name = `${host.name}: ${host.configDirectory}/config.json`;
  const { config, secrets } = readRunning(found, name);
  const differences = leaves(comparable(config), comparable(rendered(host, settings)), []).filter(isLoss);
  const stops = differences.filter(({ path }) => moving(path) && !host.changes.includes(moving(path) as MovingKey));
  const rest = grouped(differences.filter((one) => !stops.includes(one)));
  const hidden = secrets.filter((path) => ![...stops, ...rest].some((one) => isWithin(path, one.path)));
  return {
    stops: stops.map((one) => printable(describeStop(one, host))),
    told: [
      ...rest.map(describe),
      ...hidden.map((path) => `${path} goes: a secret, for which config.json is no place`),
    ].map(printable),
  };
}

function rendered(host: HostSettings, settings: Settings): ZotConfig {
  const references = { issuer: settings.authentikUrl, credentialsFile: "(new)", sessionKeysFile: "(new)" };
  return renderConfig({ ...settings, registry: registryOn(host, settings.registry) }, references);
}

/** In effective form, without what zot writes for information alone, directories spelt in one way. */
function comparable(config: ZotConfig): object {
  const { storage, ...others } = effective(config);
  const kept = Object.entries(others).filter(([key]) => !INFORMATION.includes(key));
  const subPaths = Object.entries(storage.subPaths ?? {}).map(([name, one]) => [name, spelt(one)]);
  return {
    storage: { ...spelt(storage), ...(subPaths.length > 0 ? { subPaths: Object.fromEntries(subPaths) } : {}) },
    ...Object.fromEntries(kept),
  };
}

const INFORMATION = ["distSpecVersion", "goVersion", "commit", "releaseTag", "binaryType"];

/** zot's loader has these keys in lower case, whatever the file says. */
function lowerCase(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key.toLowerCase(), lowerCase(one)]));
}

function spelt({ rootDirectory, ...storage }: Partial<StorageConfig>): object {
  const drivers = Object.entries(storage).filter(([key]) => key.endsWith("Driver"));
  return {
    ...storage,
    ...Object.fromEntries(drivers.map(([key, driver]) => [key, lowerCase(driver)])),
    ...(rootDirectory ? { rootDirectory: posix.normalize(rootDirectory).replace(/(?<=.)\/$/, "") } : {}),
  };
}

/** Something that was said is not said any more, or otherwise. What says nothing is no loss. */
function isLoss({ path, before, after }: Difference): boolean {
  if (before === undefined) return moving(path) !== undefined;
  if (after === undefined) return !isNothing(before);
  return !(DURATION.test(path) && durationOf(before) !== undefined && durationOf(before) === durationOf(after));
}

const DURATION = /(delay|interval|timeout|within)$/i;

function durationOf(value: unknown): number | undefined {
  const parsed = typeof value === "string" ? parseDuration(value) : undefined;
  return parsed && "milliseconds" in parsed ? parsed.milliseconds : undefined;
}

/** Go's zero values, which zot's loader tells from nothing only where the default is another (see effective). */
function isNothing(value: unknown): boolean {
  if (isObject(value)) return Object.values(value).every(isNothing);
  return value === false || value === "" || value === 0 || isDeepStrictEqual(value, []);
}

function moving(path: string): MovingKey | undefined {
  const found = Object.entries(MOVING).find(([, { at }]) => at.test(path));
  return found?.[0] as MovingKey | undefined;
}

/** Rules say too much for a line each, and are shown by `make access`. */
function grouped(differences: Difference[]): Difference[] {
  const rules = differences.filter(({ path }) => isWithin(path, ACCESS));
  const others = differences.filter((one) => !rules.includes(one));
  return rules.length === 0 ? others : [...others, { path: ACCESS, before: {}, after: {} }];
}

const ACCESS = "http.accessControl";

const isWithin = (path: string, other: string) =>
  path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`);

function describeStop({ path, before, after }: Difference, host: HostSettings): string {
  const key = moving(path) as MovingKey;
  const { does, setting } = MOVING[key];
  return `${path} is ${shown(path, before)} now and would be ${shown(path, after)}: ${does}. Set ${setting}, to what it is now; or, if the change is wanted, name it: harden-zot:hosts, ${host.name}, changes: [${key}].`;
}

const WHY: [RegExp, string][] = [
  [
    /^http\.accessControl$/,
    "the rules of harden-zot:access, harden-zot:ci and harden-zot:registry.metrics, which `make access` shows, instead of those that are there",
  ],
  [/^http\.auth\.(htpasswd|ldap|bearer|mtls)/, "people log in through Authentik, machines by API keys"],
  [/^http\.auth\.openid/, "people log in through the client that the stack keeps in Authentik"],
  [/^extensions\.(mgmt|apikey)/, "has had no effect since zot 2.0"],
  [/^extensions\.metrics/, "as harden-zot:registry.metrics says"],
  [/^extensions\.search/, "as harden-zot:registry.search says"],
  [/^extensions\.ui/, "as harden-zot:registry.ui says"],
  [/^extensions\.sync/, "as harden-zot:registry.pullThrough says"],
  [/^storage\.(gc|gcDelay|gcInterval)$/, "as harden-zot:registry.storage says"],
  [/^log\.level$/, "as harden-zot:registry.logLevel says"],
  [/^http\.(realm|compat|externalUrl)$/, "as the setting of that name in harden-zot:registry says"],
];

function describe({ path, before, after }: Difference): string {
  const key = moving(path);
  const why = key ? `wanted, as changes names ${key}` : WHY.find(([pattern]) => pattern.test(path))?.[1];
  if (after === undefined) {
    return `${path} goes${isShown(path) ? `, until now ${shown(path, before)}` : ""}: ${why ?? `no setting says it; ${EXTRA} keeps it`}`;
  }
  const values = isShown(path) ? ` from ${shown(path, before)} to ${shown(path, after)}` : "";
  return `${path} changes${values}: ${why ?? `${EXTRA} keeps it as it is`}`;
}

/** Keys whose values are known to be no secret, and short. */
const SHOWN =
  /^(storage\.(rootDirectory|dedupe|gc|gcDelay|gcInterval|remoteCache|commit|fastRestart)|storage\.subPaths(\..+|\[.+\])\.(rootDirectory|dedupe|gc|gcDelay|gcInterval)|http\.(address|port|realm|compat|readTimeout|writeTimeout)|log\.(level|output|audit)|extensions\.[a-z]+\.(enable|interval)|extensions\.search\.cve\.updateInterval|extensions\.metrics\.prometheus\.path|scheduler\.numWorkers)$/;
const isShown = (path: string) => SHOWN.test(path);

/** At the most so many characters of a value. */
const MOST = 200;

function shown(path: string, value: unknown): string {
  if (value === undefined) return "not set";
  if (isShown(path)) return JSON.stringify(value).slice(0, MOST);
  if (!isObject(value)) return "set";
  const directory = isObject(value) && typeof value.rootDirectory === "string" ? [value.rootDirectory] : [];
  const within = Object.entries(value).map(([key, one]) =>
    isObject(one) && one.rootDirectory ? `${key} in ${one.rootDirectory}` : key,
  );
  return `set (${(directory.length > 0 ? directory : within).join(", ").slice(0, MOST)})`;
}

const printable = (text: string) => text.replace(/\p{C}/gu, "?");
