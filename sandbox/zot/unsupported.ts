import type { LoadedConfig } from "./config/loaded";

/** What a configuration asks for that zot has and the stand-in has not; a start must not pretend otherwise. */
export function findUnsupported({ storage, http, cluster }: LoadedConfig): string[] {
  const { ldap, bearer, mtls, openid, sessionDriver } = http.auth;
  const asked: Record<string, boolean> = {
    "http.auth.ldap": ldap !== undefined,
    "http.auth.bearer": bearer !== undefined,
    "http.auth.mtls": mtls !== undefined,
    "http.auth.openid.providers.github": openid?.providers?.github !== undefined,
    "http.auth.sessionDriver redis": sessionDriver?.name === "redis",
    "storage.storageDriver": storage.storageDriver !== undefined,
    "storage.cacheDriver": storage.cacheDriver !== undefined,
    "storage.subPaths": storage.subPaths !== undefined,
    cluster: cluster !== undefined,
  };
  return Object.keys(asked).filter((key) => asked[key]);
}
