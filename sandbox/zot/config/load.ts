import { readFileSync } from "node:fs";
import { extname } from "node:path";
import type * as z from "zod";
import { describeIssues, isObject } from "../../../src/zot/file/decode";
import { configSchema, openIdCredentialsSchema, type RawConfig, sessionKeysSchema } from "../../../src/zot/file/schema";
import { viper } from "../../../src/zot/load";
import { createLogger, isLogLevel, type Logger } from "../log";
import { DISTRIBUTION_SPEC } from "../version";
import type { LoadedConfig } from "./loaded";
import { BAD_CONFIG, InvalidConfig, validate } from "./validate";

/**
 * Reads a configuration file as `zot verify` and `zot serve` do (zot 2.1.20, LoadConfiguration).
 * Throws InvalidConfig after the refusal is logged, as zot does.
 */
export function loadConfig(path: string, logger: Logger = createLogger()): LoadedConfig {
  const settings = readSettings(path, logger, "failed to read configuration");
  const parsed = configSchema.safeParse(settings);
  if (!parsed.success) {
    const error = describeIssues(configSchema, parsed.error);
    logger.error("failed to unmarshal new config", { error });
    throw new InvalidConfig(error);
  }
  const config = withDefaults(parsed.data);
  if (!isLogLevel(config.log.level)) {
    const error = `${BAD_CONFIG}: invalid log level '${config.log.level}', supported levels are: debug, trace, info, warn, warning, error, fatal, panic`;
    logger.error(error, { error: BAD_CONFIG });
    throw new InvalidConfig(error);
  }
  if (Object.keys(settings).length === 0) {
    throw refuse(logger, "failed to load config due to the absence of any key:value pair");
  }
  loadCredentials(config, logger);
  loadSessionKeys(config, logger);
  applyExtensionDefaults(config);
  validate(config, createLogger(config.log));
  if (config.distSpecVersion !== DISTRIBUTION_SPEC) {
    logger.warn("config dist-spec version differs from version actually used", {
      "config version": config.distSpecVersion,
      "supported version": DISTRIBUTION_SPEC,
    });
    config.distSpecVersion = DISTRIBUTION_SPEC;
  }
  return config;
}

function refuse(logger: Logger, message: string, fields: Record<string, unknown> = {}): InvalidConfig {
  logger.error(message, { error: BAD_CONFIG, ...fields });
  return new InvalidConfig(`${BAD_CONFIG}: ${message}`);
}

function readSettings(path: string, logger: Logger, failure: string): Record<string, unknown> {
  try {
    return parseJson(readFileSync(path, "utf8"));
  } catch (error) {
    const { code, message: text } = error as NodeJS.ErrnoException;
    const message = code === "ENOENT" ? missingFile(path) : text;
    logger.error(failure, { error: message, path });
    throw new InvalidConfig(message);
  }
}

/** viper looks at the extension before it looks for the file. */
function missingFile(path: string): string {
  return extname(path) === "" ? 'Unsupported Config Type ""' : `open ${path}: no such file or directory`;
}

function parseJson(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`While parsing config: ${describeSyntaxError(text, (error as Error).message)}`);
  }
  if (value !== null && !isObject(value)) {
    const kind = Array.isArray(value) ? "array" : ({ boolean: "bool" }[typeof value as string] ?? typeof value);
    throw new Error(
      `While parsing config: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
    );
  }
  return (viper(value) ?? {}) as Record<string, unknown>;
}

/** The two commonest mistakes as Go words them: a file cut short, and something after its end. */
function describeSyntaxError(text: string, message: string): string {
  const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
  if (position >= text.trimEnd().length) return "unexpected end of JSON input";
  return message.includes("after JSON")
    ? `invalid character '${text.charAt(position)}' after top-level value`
    : message;
}

function withDefaults(raw: RawConfig): LoadedConfig {
  return {
    ...raw,
    distSpecVersion: raw.distSpecVersion ?? DISTRIBUTION_SPEC,
    storage: {
      gc: true,
      ...raw.storage,
      dedupe: raw.storage?.dedupe ?? true,
      rootDirectory: raw.storage?.rootDirectory ?? "",
    },
    http: {
      ...raw.http,
      address: raw.http?.address ?? "127.0.0.1",
      port: raw.http?.port ?? "8080",
      auth: raw.http?.auth ?? {},
    },
    log: { ...raw.log, level: raw.log?.level ?? "debug" },
  };
}

/** An extension that is named is on unless it says otherwise; a metrics extension answers on /metrics by default. */
function applyExtensionDefaults(config: LoadedConfig): void {
  const { search, sync, metrics, scrub, ui, trust } = config.extensions ?? {};
  for (const extension of [search, sync, metrics, scrub, ui, trust]) {
    if (extension) extension.enable ??= true;
  }
  if (metrics) metrics.prometheus ??= { path: "/metrics" };
  if (config.http.auth.openid) config.http.auth.apikey = true;
}

function loadCredentials(config: LoadedConfig, logger: Logger): void {
  for (const [name, provider] of Object.entries(config.http.auth.openid?.providers ?? {})) {
    if (!provider.credentialsFile) {
      logger.warn("deprecated: use the new OpenID provider credentialsfile instead of clientid and clientsecret.", {
        provider: name,
      });
      continue;
    }
    const failure = "failed to read openid provider config file(s)";
    const secret = readSecretFile(provider.credentialsFile, openIdCredentialsSchema, failure, logger);
    const unset = [secret.clientid ?? "ClientID", secret.clientsecret ?? "ClientSecret"].filter(
      (field, index) => field === ["ClientID", "ClientSecret"][index],
    );
    if (unset.length > 0) {
      throw refuseSecret(logger, "failed to load secret file due to unset keys", failure, { keys: unset });
    }
    Object.assign(provider, secret);
  }
}

function loadSessionKeys(config: LoadedConfig, logger: Logger): void {
  const path = config.http.auth.sessionKeysFile;
  if (path) config.sessionKeys = readSecretFile(path, sessionKeysSchema, "failed to read sessionKeysFile", logger);
}

function readSecretFile<T extends z.ZodType>(path: string, schema: T, failure: string, logger: Logger): z.infer<T> {
  let settings: Record<string, unknown>;
  try {
    settings = readSettings(path, logger, "failed to read secret file configuration");
  } catch (error) {
    const joined = `${BAD_CONFIG}\n${(error as Error).message}`;
    logger.error(failure, { error: joined });
    throw new InvalidConfig(joined);
  }
  if (Object.keys(settings).length === 0) {
    throw refuseSecret(logger, "failed to load secret file due to the absence of any key:value pair", failure, {
      path,
    });
  }
  const parsed = schema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const unknown = parsed.error.issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : []));
  throw unknown.length > 0
    ? refuseSecret(logger, "failed to load secret file due to unknown keys", failure, { path, keys: unknown })
    : refuseSecret(logger, "failed to unmarshal secret file config", failure, { path });
}

function refuseSecret(
  logger: Logger,
  message: string,
  failure: string,
  fields: Record<string, unknown>,
): InvalidConfig {
  const refusal = refuse(logger, message, fields);
  logger.error(failure, { error: refusal.message });
  return refusal;
}
