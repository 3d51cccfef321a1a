import type { FSWatcher } from "node:fs";
import { loadConfig } from "./config/load";
import type { LoadedConfig } from "./config/loaded";
import type { Registry } from "./registry";
import { watchFile } from "./watch-file";

/** Reloads the configuration whenever its file is written in place. */
export function watchConfig(path: string, registry: Registry): FSWatcher {
  return watchFile(path, () => reload(path, registry));
}

function reload(path: string, registry: Registry): void {
  const { logger, config } = registry;
  logger.info("config file changed, trying to reload config");
  let next: LoadedConfig;
  try {
    next = loadConfig(path);
  } catch (error) {
    logger.error("failed to reload config, retry writing it.", { error: (error as Error).message });
    return;
  }
  update(config, next);
  try {
    registry.htpasswd.use(config.http.auth.htpasswd?.path);
  } catch (error) {
    logger.error("failed to change watched htpasswd file", { error: (error as Error).message });
  }
  registry.configurationChanged();
  logger.info("loaded new configuration settings", { "reloaded params": sanitized(config) });
}

/** Takes over the keys zot reloads and no others (zot 2.1.20, UpdateReloadableConfig). */
function update(live: LoadedConfig, next: LoadedConfig): void {
  const { dedupe, gc, gcDelay, gcInterval } = next.storage;
  Object.assign(live.storage, { dedupe, gc, gcDelay, gcInterval });
  const { htpasswd, ldap, apikey, openid, secureSession, mtls } = next.http.auth;
  Object.assign(live.http.auth, { htpasswd, ldap, apikey, openid, secureSession, mtls });
  assign(live.http, "accessControl", next.http.accessControl);
  if (next.extensions) {
    live.extensions ??= {};
    assign(live.extensions, "sync", next.extensions.sync);
    assign(live.extensions, "scrub", next.extensions.scrub);
  } else {
    delete live.extensions;
  }
}

function assign<T extends object, K extends keyof T>(target: T, key: K, value: T[K] | undefined): void {
  if (value === undefined) {
    delete target[key];
  } else {
    target[key] = value;
  }
}

/** The configuration as it may be logged: without client secrets and session keys. */
export function sanitized(config: LoadedConfig): object {
  const { sessionKeys: _, ...rest } = config;
  return JSON.parse(JSON.stringify(rest, (key, value) => (key === "clientsecret" ? "******" : value)));
}
