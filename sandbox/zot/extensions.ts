import type { ServerResponse } from "node:http";
import type { Identity } from "../../src/zot/authorizer";
import { sendJson } from "./distribution/errors";
import type { Registry } from "./registry";
import { DISTRIBUTION_SPEC, VERSION } from "./version";

/** What GET /v2/_oci/ext/discover lists. */
export function discover({ started }: Registry): { extensions: object[] | null } {
  const endpoints = [
    ...(started.search ? ["/v2/_zot/ext/search"] : []),
    ...(started.search && started.ui ? ["/v2/_zot/ext/userprefs"] : []),
    ...(started.search ? ["/v2/_zot/ext/mgmt"] : []),
  ];
  const extension = {
    name: "_zot",
    url: `https://github.com/project-zot/zot/blob/${VERSION.tag}/pkg/extensions/_zot.md`,
    description: "zot registry extensions",
    endpoints,
  };
  return { extensions: endpoints.length > 0 ? [extension] : [] };
}

/** GET /v2/_zot/ext/mgmt: what the UI needs to draw its login page; never a secret. */
export function management({ config }: Registry): object {
  const { htpasswd, ldap, openid, apikey } = config.http.auth;
  const providers = Object.entries(openid?.providers ?? {}).map(([key, { name }]) => [key, name ? { name } : {}]);
  const auth = {
    ...(htpasswd?.path || ldap ? { htpasswd: {} } : {}),
    ...(providers.length > 0 ? { openid: { providers: Object.fromEntries(providers) } } : {}),
    ...(apikey ? { apikey: true } : {}),
  };
  return {
    distSpecVersion: DISTRIBUTION_SPEC,
    commit: VERSION.commit,
    releaseTag: VERSION.tag,
    binaryType: VERSION.binaryType,
    http: { auth },
  };
}

/** Of zot's GraphQL search the stand-in answers the one question a probe asks: which repositories are there? */
export function search(registry: Registry, identity: Identity, query: URLSearchParams, response: ServerResponse): void {
  if (!/\bGlobalSearch\b|\bRepoListWithNewestImage\b/.test(query.get("query") ?? "")) {
    sendJson(response, 422, { errors: [{ message: "the stand-in answers GlobalSearch only" }], data: null });
    return;
  }
  const repositories = registry.layout.repositories().filter((repository) => registry.mayRead(identity, repository));
  sendJson(response, 200, { data: { GlobalSearch: { Repos: repositories.map((Name) => ({ Name })) } } });
}
