import { isValidPattern as isValidGlob } from "../../../src/zot/doublestar";
import type { Logger } from "../log";
import { findBadCondition } from "./conditions";
import type { LoadedConfig } from "./loaded";

export const BAD_CONFIG = "invalid server config";

/** The loader refused the configuration; the reason is in the log already. */
export class InvalidConfig extends Error {}

type Refuse = (message: string, fields?: Record<string, unknown>, error?: string) => InvalidConfig;

/** zot's own checks in zot's order (zot 2.1.20, validateConfiguration), as far as the stand-in has the feature. */
export function validate(config: LoadedConfig, logger: Logger): void {
  const refuse: Refuse = (message, fields = {}, error = BAD_CONFIG) => {
    logger.error(message, { error, ...fields });
    return new InvalidConfig(error === BAD_CONFIG ? `${BAD_CONFIG}: ${message}` : `${error}: ${message}`);
  };
  validatePort(config, logger);
  validateGarbageCollection(config, refuse);
  validateOpenId(config, refuse);
  validateSync(config, refuse);
  validateSessionDriver(config, refuse);
  validateExtensions(config, refuse, logger);
  validateAccessControl(config, refuse, logger);
  validateCluster(config, refuse);
}

function validatePort({ http: { port } }: LoadedConfig, logger: Logger): void {
  if (port !== "" && !(/^\+?\d+$/.test(port) && Number(port) <= 65535)) {
    logger.error("invalid port", { port });
    throw new InvalidConfig(`${BAD_CONFIG}: invalid port ${port}`);
  }
}

function validateGarbageCollection({ storage }: LoadedConfig, refuse: Refuse): void {
  for (const [key, name] of [
    ["gcDelay", "delay"],
    ["gcInterval", "interval"],
  ] as const) {
    if ((storage[key] ?? 0) < 0) throw refuse(`invalid garbage-collect ${name} specified`, { [name]: storage[key] });
  }
}

const OPENID_PROVIDERS = ["oidc", "google", "gitlab"];

function validateOpenId({ http: { auth } }: LoadedConfig, refuse: Refuse): void {
  for (const [name, { clientid, issuer, scopes = [] }] of Object.entries(auth.openid?.providers ?? {})) {
    if (OPENID_PROVIDERS.includes(name)) {
      if (!clientid || !issuer || scopes.length === 0) {
        throw refuse("OpenID provider config requires clientid, issuer and scopes parameters");
      }
    } else if (name === "github") {
      if (!clientid || scopes.length === 0) {
        throw refuse("OAuth2 provider config requires clientid and scopes parameters");
      }
    } else {
      throw refuse("unsupported openid/oauth2 provider");
    }
  }
}

function validateSync({ extensions, http }: LoadedConfig, refuse: Refuse): void {
  for (const [id, registry] of (extensions?.sync?.registries ?? []).entries()) {
    const fields = { id, "extensions.sync.registries[id]": registry };
    for (const key of ["maxRetries", "maxRetryDelay"] as const) {
      if (registry[key] !== undefined && registry.retryDelay === undefined) {
        throw refuse(`retryDelay is required when using ${key}`, fields);
      }
    }
    if ((registry.maxRetryDelay ?? Number.POSITIVE_INFINITY) < (registry.retryDelay ?? 0)) {
      throw refuse("maxRetryDelay must be greater than or equal to retryDelay", fields);
    }
    if (registry.preserveDigest && (http.compat ?? []).length === 0) {
      throw refuse("can not use PreserveDigest option without enabling http.Compat", fields);
    }
    for (const content of registry.content ?? []) {
      if (!isValidGlob(content.prefix ?? "")) {
        throw refuse("sync prefix could not be compiled", { prefix: content.prefix }, "syntax error in pattern");
      }
    }
  }
}

function validateSessionDriver({ http: { auth } }: LoadedConfig, refuse: Refuse): void {
  if (!auth.sessionDriver) return;
  const name = auth.sessionDriver.name;
  if (name === undefined) throw refuse("must provide session driver name!");
  if (name !== "redis" && name !== "local") throw refuse(`session store driver ${String(name)} is not allowed!`);
  if (name === "redis" && auth.sessionKeysFile) {
    throw refuse("session keys not supported when redis session driver is used!");
  }
}

function validateExtensions({ extensions }: LoadedConfig, refuse: Refuse, logger: Logger): void {
  if (extensions?.mgmt) {
    logger.warn("mgmt extensions configuration option has been made redundant and will be ignored.");
  }
  const problem = extensions?.metrics && metricsPathProblem(extensions.metrics.prometheus?.path ?? "");
  if (problem) {
    const error = `${BAD_CONFIG}\n${problem}`;
    logger.error("invalid metrics config", { error });
    throw new InvalidConfig(error);
  }
  if (extensions?.ui?.enable && !extensions.search?.enable) {
    throw refuse("failed to enable ui, search extension must be enabled");
  }
}

function metricsPathProblem(path: string): string | undefined {
  if (path === "" || /\/\/|\/\.\.?(\/|$)|.\/$/.test(path)) return "invalid metrics path";
  if (!path.startsWith("/")) return "metrics path must start with /";
  return path === "/" || path === "/v2" ? "provided metrics path is disallowed" : undefined;
}

function validateAccessControl(config: LoadedConfig, refuse: Refuse, logger: Logger): void {
  const accessControl = config.http.accessControl;
  if (!accessControl) return;
  logger.info("checking if anonymous authorization is the only type of authorization policy configured");
  if (!authenticates(config) && !onlyAnonymous(config)) {
    throw refuse(
      "access control config requires one of htpasswd, ldap, openid or mTLS authentication or using only 'anonymousPolicy' policies",
    );
  }
  const reason = findBadCondition(accessControl);
  if (reason !== undefined) {
    logger.error("failed to compile access control policy conditions", { error: reason });
    throw new InvalidConfig(`${BAD_CONFIG}: ${reason}`);
  }
  for (const pattern of Object.keys(accessControl.repositories ?? {})) {
    if (!isValidGlob(pattern)) {
      throw refuse("failed to compile authorization pattern", { pattern }, "syntax error in pattern");
    }
  }
}

/** Whether some way of proving who one is is configured (zot's IsBasicAuthnEnabled). */
export function authenticates({ http: { auth } }: LoadedConfig): boolean {
  return Boolean(auth.htpasswd?.path || auth.ldap || auth.apikey || hasOpenId(auth));
}

export function hasOpenId(auth: LoadedConfig["http"]["auth"]): boolean {
  return Object.keys(auth.openid?.providers ?? {}).some((name) => [...OPENID_PROVIDERS, "github"].includes(name));
}

/** zot's ContainsOnlyAnonymousPolicy, or only a metrics policy. */
function onlyAnonymous({ http: { accessControl } }: LoadedConfig): boolean {
  const { adminPolicy = {}, repositories = {}, groups = {}, metrics = {} } = accessControl ?? {};
  const policies = Object.values(repositories);
  if (policies.length === 0 && Object.keys(groups).length === 0) {
    return grants(adminPolicy) + count(adminPolicy.groups) === 0 && (metrics.anonymousPolicy ?? []).includes("read");
  }
  return (
    grants(adminPolicy) === 0 &&
    policies.every(
      (group) => count(group.defaultPolicy) === 0 && (group.policies ?? []).every((p) => grants(p) === 0),
    ) &&
    policies.some((group) => count(group.anonymousPolicy) > 0)
  );
}

const count = (values: readonly string[] | undefined) => values?.length ?? 0;

const grants = ({ users, actions }: { users?: string[] | undefined; actions?: string[] | undefined }) =>
  count(users) + count(actions);

function validateCluster({ cluster }: LoadedConfig, refuse: Refuse): void {
  if (!cluster) return;
  if ((cluster.members ?? []).length === 0) throw refuse("cannot have 0 members in a scale out cluster");
  if (Buffer.byteLength(cluster.hashKey ?? "") !== 16) {
    throw refuse("hashKey for scale out cluster must have 16 characters", { hashkey: cluster.hashKey ?? "" });
  }
}
