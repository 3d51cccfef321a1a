import { withoutProof } from "../config/proof";
import type { AuthConfig, ZotConfig } from "../zot/types";

/**
 * A configuration with what zot 2.1.20 fills in by itself (docs/facts.md), and without what says that it is off: two that
 * are equal in this form make the same registry.
 */
export function effective(given: ZotConfig): ZotConfig {
  // A configuration that this program rendered bears its mark, which the next one replaces.
  const config = withoutProof(given);
  const { storage, http, log, extensions = {} } = config;
  const { search, sync, metrics, ui, ...others } = extensions;
  return {
    ...config,
    storage: { ...storage, ...defaults(storage, STORAGE), ...subPathsOf(storage) },
    http: {
      ...http,
      ...defaults(http, { address: "127.0.0.1", port: "8080" }),
      // Logins make sessions, and sessions API keys.
      ...(http.auth?.openid ? { auth: { ...http.auth, apikey: true, openid: withClaims(http.auth.openid) } } : {}),
    },
    log: { ...log, level: log?.level ?? "debug" },
    extensions: {
      ...Object.fromEntries(Object.entries(others).filter(([, one]) => isOn(one as { enable: boolean }))),
      ...(isOn(search) ? { search: { ...search, enable: true } } : {}),
      ...(isOn(ui) ? { ui: { ...ui, enable: true } } : {}),
      ...(isOn(metrics)
        ? { metrics: { ...metrics, enable: true, prometheus: { path: metrics.prometheus?.path || "/metrics" } } }
        : {}),
      ...(isOn(sync)
        ? {
            sync: {
              ...sync,
              enable: true,
              registries: (sync.registries ?? []).map((one) => ({ tlsVerify: true, ...one })),
            },
          }
        : {}),
    },
  } as ZotConfig;
}

const STORAGE = { dedupe: true, gc: true, gcDelay: "1h", gcInterval: "1h" };

/** Every subpath is a storage of its own, with the same defaults. */
function subPathsOf({ subPaths }: ZotConfig["storage"]): object {
  const filled = Object.entries(subPaths ?? {}).map(([name, one]) => [name, { ...one, ...defaults(one, STORAGE) }]);
  return filled.length > 0 ? { subPaths: Object.fromEntries(filled) } : {};
}

/** Without a mapping, users are named by their e-mail address. */
function withClaims({ providers = {}, ...rest }: NonNullable<AuthConfig["openid"]>): object {
  const mapped = Object.entries(providers).map(([name, provider]) => [
    name,
    { ...provider, claimMapping: { ...provider.claimMapping, ...defaults(provider.claimMapping ?? {}, CLAIMS) } },
  ]);
  return { ...rest, providers: Object.fromEntries(mapped) };
}

const CLAIMS = { username: "email", groups: "groups" };

function defaults<Values extends object>(given: object, values: Values): Values {
  const kept = Object.entries(values).map(([key, value]) => [key, (given as Record<string, unknown>)[key] ?? value]);
  return Object.fromEntries(kept) as Values;
}

function isOn<Extension extends { enable: boolean }>(extension: Extension | undefined): extension is Extension {
  return extension !== undefined && extension.enable !== false;
}
