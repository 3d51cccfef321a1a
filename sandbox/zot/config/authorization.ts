import { type Authorizer, createAuthorizer } from "../../../src/zot/authorizer";
import type { RawAccessControl, RawPolicy } from "../../../src/zot/file/schema";
import type { AccessControl, Policy, ZotConfig } from "../../../src/zot/types";
import type { LoadedConfig } from "./loaded";

/** Decisions under a configuration that was validated. */
export function authorizerOf({ storage, http, ...config }: LoadedConfig): Authorizer {
  return createAuthorizer({
    ...config,
    storage,
    http: { ...http, accessControl: accessControlOf(http.accessControl ?? {}) },
  } as unknown as ZotConfig);
}

/** Every list the authorizer reads is there: the loader leaves out what the file leaves out. */
function accessControlOf({ repositories = {}, adminPolicy, groups = {}, metrics }: RawAccessControl): AccessControl {
  return {
    repositories: mapValues(repositories, ({ policies, ...rest }) => ({
      ...withoutUndefined(rest),
      ...(policies ? { policies: policies.map(policyOf) } : {}),
    })),
    ...(adminPolicy ? { adminPolicy: policyOf(adminPolicy) } : {}),
    groups: mapValues(groups, ({ users = [] }) => ({ users })),
    metrics: withoutUndefined(metrics ?? {}),
  };
}

function policyOf({ actions = [], conditions, ...who }: RawPolicy): Policy {
  return {
    ...withoutUndefined(who),
    actions,
    ...(conditions
      ? { conditions: conditions.map(({ expression = "", message = "" }) => ({ expression, message })) }
      : {}),
  };
}

function mapValues<T, U>(record: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as Defined<T>;
}
