import { posix } from "node:path";

/** What a request asks of zot, after its router (zot 2.1.20, pkg/api/routes.go, SetupRoutes). */
export type Route =
  | { kind: "health" | "ping" | "catalog" | "discover" | "mgmt" | "search" | "metrics" | "api-key" | "logout" | "page" }
  | { kind: "login" | "options" }
  | { kind: "tags"; repository: string }
  | { kind: "manifest"; repository: string; reference: string; tags: readonly string[] }
  | { kind: "blob"; repository: string; digest: string }
  | { kind: "referrers"; repository: string; digest: string }
  | { kind: "upload"; repository: string; session: string; query: URLSearchParams }
  | { kind: "redirect"; to: string }
  | { kind: "not-found" | "method-not-allowed" };

/** The routes that accessControl guards. */
export type RepositoryRoute = Extract<Route, { repository: string }>;

export interface RouteOptions {
  metricsPath: string | undefined;
  apiKeys: boolean;
  openId: boolean;
  authentication: boolean;
  search: boolean;
  ui: boolean;
}

export function routeOf(method: string, url: string, options: RouteOptions): Route {
  const [path = "", query = ""] = split(url, "?");
  const cleaned = clean(path);
  if (cleaned !== path) return { kind: "redirect", to: query === "" ? cleaned : `${cleaned}?${query}` };
  const candidates = [...routesAt(path, new URLSearchParams(query), options)];
  const found = candidates.find(({ methods }) => methods === undefined || methods.includes(method));
  if (found !== undefined)
    return method === "OPTIONS" && found.methods !== undefined ? { kind: "options" } : found.route;
  return { kind: candidates.length > 0 ? "method-not-allowed" : "not-found" };
}

interface Candidate {
  methods: readonly string[] | undefined;
  route: Route;
}

/** In zot's order of registration: the first that also has the method wins. */
function* routesAt(path: string, query: URLSearchParams, options: RouteOptions): Generator<Candidate> {
  if (HEALTH.includes(path)) yield { methods: undefined, route: { kind: "health" } };
  if (options.openId && path === "/zot/auth/login") yield { methods: undefined, route: { kind: "login" } };
  if (options.apiKeys && path.startsWith("/zot/auth/apikey")) {
    yield { methods: ["GET", "POST", "DELETE", "OPTIONS"], route: { kind: "api-key" } };
  }
  if (options.authentication && path === "/zot/auth/logout") {
    yield { methods: ["POST", "OPTIONS"], route: { kind: "logout" } };
  }
  if (path.startsWith("/v2/")) yield* registryRoutes(path.slice("/v2".length), query, options);
  if (options.metricsPath !== undefined && path.startsWith(options.metricsPath)) {
    yield { methods: ["GET"], route: { kind: "metrics" } };
  }
  if (options.ui) yield { methods: ["GET", "OPTIONS"], route: { kind: "page" } };
}

const HEALTH = ["/livez", "/readyz", "/startupz"];

/** pkg/regexp NameRegexp, written so that it cannot backtrack exponentially. */
const COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const NAME = `(${COMPONENT}(?:/${COMPONENT})*)`;
const TAGS = new RegExp(`^/${NAME}/tags/list$`);
const MANIFEST = new RegExp(`^/${NAME}/manifests/([^/]+)$`);
const BLOB = new RegExp(`^/${NAME}/blobs/([^/]+)$`);
const UPLOADS = new RegExp(`^/${NAME}/blobs/uploads/([^/]*)$`);
const REFERRERS = new RegExp(`^/${NAME}/referrers/([^/]+)$`);

function* registryRoutes(path: string, query: URLSearchParams, options: RouteOptions): Generator<Candidate> {
  const [, tagged] = groups(TAGS, path, "/tags/list");
  if (tagged !== undefined) yield { methods: ["GET", "OPTIONS"], route: { kind: "tags", repository: tagged } };
  const [, repository, reference] = groups(MANIFEST, path, "/manifests/");
  if (repository !== undefined && reference !== undefined) {
    const route: Route = { kind: "manifest", repository, reference, tags: query.getAll("tag") };
    yield { methods: ["HEAD", "OPTIONS", "GET", "PUT", "DELETE"], route };
  }
  const [, holder, digest] = groups(BLOB, path, "/blobs/");
  if (holder !== undefined && digest !== undefined) {
    yield { methods: ["HEAD", "GET", "DELETE"], route: { kind: "blob", repository: holder, digest } };
  }
  const [, target, session] = groups(UPLOADS, path, "/blobs/uploads/");
  if (target !== undefined && session !== undefined) {
    const methods = session === "" ? ["POST"] : ["GET", "PATCH", "PUT", "DELETE"];
    yield { methods, route: { kind: "upload", repository: target, session, query } };
  }
  const [, referred, subject] = groups(REFERRERS, path, "/referrers/");
  if (referred !== undefined && subject !== undefined) {
    yield { methods: ["GET", "OPTIONS"], route: { kind: "referrers", repository: referred, digest: subject } };
  }
  if (path === "/_catalog") yield { methods: ["GET", "OPTIONS"], route: { kind: "catalog" } };
  if (path === "/_oci/ext/discover") yield { methods: ["GET", "OPTIONS"], route: { kind: "discover" } };
  if (path === "/") yield { methods: ["GET", "OPTIONS"], route: { kind: "ping" } };
  if (options.search && path.startsWith("/_zot/ext/search")) {
    yield { methods: ["GET", "POST", "OPTIONS"], route: { kind: "search" } };
  }
  if (options.search && path.startsWith("/_zot/ext/mgmt"))
    yield { methods: ["GET", "OPTIONS"], route: { kind: "mgmt" } };
}

/** The mark spares most expressions the attempt. */
function groups(expression: RegExp, path: string, mark: string): readonly string[] {
  return path.includes(mark) ? (expression.exec(path) ?? []) : [];
}

/** gorilla/mux answers a path that is not clean with a redirect, before any authentication. */
function clean(path: string): string {
  return /^[^/]|\/\/|\/\.\.?(\/|$)|^$/.test(path) ? posix.normalize(`/${path}`) : path;
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
