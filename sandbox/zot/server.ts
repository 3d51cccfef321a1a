import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import { posix } from "node:path";
import type { Decision, Identity } from "../../src/zot/authorizer";
import type { HttpRequest } from "../../src/zot/request";
import type { RegistryState } from "../../src/zot/state";
import { refuseAuthentication, refuseAuthorization } from "./answers";
import { authenticates } from "./config/validate";
import { RegistryError, sendEmpty, sendError, sendJson, sendText } from "./distribution/errors";
import type { Exchange } from "./distribution/exchange";
import { catalog } from "./distribution/lists";
import { findRoute } from "./distribution/routes";
import { discover, management, search } from "./extensions";
import { authenticate, fromUi, InternalError } from "./identity/authentication";
import { CALLBACK_PATH } from "./identity/relying-party";
import * as auth from "./identity/routes";
import { RateLimiter } from "./rate-limit";
import type { Registry } from "./registry";
import { startFailure } from "./start-failure";
import { limitAnswer } from "./timeouts";
import { isPage, sendPage } from "./ui";

const HEALTH = ["/livez", "/readyz", "/startupz"];
const MANAGEMENT = "/v2/_zot/ext/mgmt";

/** The registry's HTTP server, not listening yet. */
export function createRegistryServer(registry: Registry): Server {
  const limiter = new RateLimiter(registry.config.http.ratelimit);
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    response.on("finish", () => logExchange(registry, request, response));
    limitAnswer(response, registry.config.http);
    if (!HEALTH.includes(path) && !limiter.admits(request.method ?? "")) {
      sendText(response, 429, "Too Many Requests");
      return;
    }
    answer(registry, path, request, response).catch((error) => fail(registry, error, response));
  };
  const { cert, key } = registry.config.http.tls ?? {};
  const server = cert && key ? createSecureServer(certificate(cert, key), listener) : createServer(listener);
  // Node's own limit of five minutes for a request.
  server.requestTimeout = 0;
  return server;
}

function certificate(cert: string, key: string): ServerOptions {
  try {
    return { cert: readFileSync(cert), key: readFileSync(key), minVersion: "TLSv1.2" };
  } catch (error) {
    throw startFailure(error);
  }
}

function fail({ logger }: Registry, error: unknown, response: ServerResponse): void {
  const refusal = error instanceof RegistryError ? error : new RegistryError(500);
  if (refusal.status === 500) {
    const expected = error instanceof InternalError;
    logger.error(
      expected ? error.message : "unexpected error",
      expected ? {} : { error: String((error as Error).stack) },
    );
  }
  if (response.headersSent) {
    response.destroy();
  } else {
    sendError(response, refusal);
  }
}

function logExchange({ logger, metrics }: Registry, request: IncomingMessage, response: ServerResponse): void {
  const { authorization, ...headers } = request.headersDistinct;
  metrics.count("zot_http_requests_total", { code: String(response.statusCode), method: request.method ?? "" });
  logger.info("HTTP API", {
    module: "http",
    component: "session",
    clientIP: `${request.socket.remoteAddress}:${request.socket.remotePort}`,
    method: request.method,
    path: request.url,
    statusCode: response.statusCode,
    headers: { ...headers, ...(authorization ? { Authorization: ["******"] } : {}) },
  });
}

async function answer(registry: Registry, path: string, request: IncomingMessage, response: ServerResponse) {
  const { started } = registry;
  const { method } = request;
  if (path !== cleanPath(path)) {
    response.setHeader("Location", cleanPath(path) + (request.url ?? "").slice(path.length));
    sendEmpty(response, 301);
  } else if (HEALTH.includes(path)) {
    sendText(response, 200, "ok");
  } else if (started.openId && path === "/zot/auth/login") {
    await auth.login(registry, request, response);
  } else if (started.openId && path.startsWith(`${CALLBACK_PATH}/`)) {
    await auth.callback(registry, path.slice(CALLBACK_PATH.length + 1), request, response);
  } else if (started.apiKeys && path === "/zot/auth/apikey") {
    await answerKeys(registry, request, response);
  } else if (started.logout && path === "/zot/auth/logout" && method === "POST") {
    allowOrigin(registry, response);
    auth.logout(registry, request, response);
  } else if (path.startsWith("/v2/")) {
    await answerRegistry(registry, path, request, response);
  } else if (started.metricsPath !== undefined && path.startsWith(started.metricsPath)) {
    await answerMetrics(registry, request, response);
  } else if (started.ui && method === "GET" && isPage(path)) {
    sendPage(response, [...registry.relyingParties.keys()]);
  } else {
    notFound(response);
  }
}

function notFound(response: ServerResponse): void {
  response.setHeader("X-Content-Type-Options", "nosniff");
  sendText(response, 404, "404 page not found\n");
}

/** A path with empty or dot components is answered with its clean form, before anything else. */
function cleanPath(path: string): string {
  return posix.normalize(path);
}

/** What the browser that shows the UI may read from another origin. */
function allowOrigin({ config }: Registry, response: ServerResponse): void {
  response.setHeader("Access-Control-Allow-Origin", config.http.allowOrigin || "*");
}

/** Whether some repository may be used without a name. */
function anonymousPolicyExists({ config }: Registry): boolean {
  return Object.values(config.http.accessControl?.repositories ?? {}).some(
    ({ anonymousPolicy = [] }) => anonymousPolicy.length > 0,
  );
}

/** Undefined when the request was refused with 401 already. */
async function identify(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  anonymousAllowed: boolean,
): Promise<Identity | undefined> {
  const identity = await authenticate(registry, request, response, anonymousAllowed);
  const open = !authenticates(registry.config) && !fromUi(request);
  const refused =
    identity.kind === "wrong-credentials" || (identity.kind === "anonymous" && !anonymousAllowed && !open);
  if (refused) {
    await refuseAuthentication(registry, request, response);
    return undefined;
  }
  return identity;
}

async function answerKeys(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const identity = await identify(registry, request, response, anonymousPolicyExists(registry));
  if (identity) {
    allowOrigin(registry, response);
    await auth.apiKeys(registry, identity, request, response);
  }
}

async function answerMetrics(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET") throw new RegistryError(405);
  const { accessControl } = registry.config.http;
  const anonymous = accessControl?.metrics?.anonymousPolicy?.includes("read") ?? false;
  const identity = await identify(registry, request, response, anonymous || anonymousPolicyExists(registry));
  if (!identity) return;
  const users = accessControl?.metrics?.users ?? [];
  const allowed = identity.kind === "user" ? users.includes(identity.name) : anonymous;
  if (accessControl && !allowed) {
    await refuseAuthorization(registry, identity, request, response);
    return;
  }
  response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" }).end(registry.metrics.text());
}

async function answerRegistry(registry: Registry, path: string, request: IncomingMessage, response: ServerResponse) {
  const { method = "" } = request;
  const route = findRoute(method, path);
  const extension = route ? undefined : findExtension(registry, path);
  if (!route && !extension) {
    notFound(response);
    return;
  }
  if (route ? !route.handler : method !== "GET") {
    refuseMethod(registry, method, response);
    return;
  }
  const identity = await identify(registry, request, response, mayBeAnonymous(registry, path, request));
  if (!identity) return;
  const query = new URL(request.url ?? "", "http://registry").searchParams;
  if (extension) {
    allowOrigin(registry, response);
    extension({ registry, identity, query, request, response });
    return;
  }
  const { repository = "", reference = "", handler } = route ?? {};
  const exchange: Exchange = { registry, request, response, identity, repository, reference, query };
  if (await authorize(exchange)) {
    if (!path.includes("/blobs/") && method !== "PUT") allowOrigin(registry, response);
    await handler?.(exchange);
  }
}

/** With the UI on, zot hands a GET that nothing else takes to its file server. */
function refuseMethod(registry: Registry, method: string, response: ServerResponse): void {
  if (method === "GET" && registry.started.ui) {
    notFound(response);
    return;
  }
  if (method === "OPTIONS") allowOrigin(registry, response);
  sendEmpty(response, method === "OPTIONS" ? 204 : 405);
}

type Extension = (context: Pick<Exchange, "registry" | "identity" | "query" | "request" | "response">) => void;

function findExtension({ started }: Registry, path: string): Extension | undefined {
  const routes: Record<string, Extension> = {
    "/v2/": ({ registry, request, response }) => version(registry, request, response),
    "/v2/_catalog": ({ registry, identity, query, response }) => catalog(registry, identity, query, response),
    "/v2/_oci/ext/discover": ({ registry, response }) => sendJson(response, 200, discover(registry)),
  };
  if (started.search) {
    routes[MANAGEMENT] = ({ registry, response }) => {
      response.setHeader("X-Content-Type-Options", "nosniff");
      sendText(response, 200, JSON.stringify(management(registry)));
    };
    routes["/v2/_zot/ext/search"] = ({ registry, identity, query, response }) =>
      search(registry, identity, query, response);
  }
  return routes[path];
}

/** A request without a name goes on where an anonymous policy exists; docker asking for /v2/ may be told to log in. */
function mayBeAnonymous(registry: Registry, path: string, request: IncomingMessage): boolean {
  const { metricsPath } = registry.started;
  if (request.url === MANAGEMENT || (metricsPath !== undefined && path.startsWith(metricsPath))) return true;
  if (!anonymousPolicyExists(registry)) return false;
  return (
    path !== "/v2/" ||
    fromUi(request) ||
    registry.authorizer().decide({ kind: "anonymous" }, questionOf(request), stateOf(registry)).allowed
  );
}

const EMPTY_JSON = { "Content-Type": "application/json", "Content-Length": 0 };

/** The 200 of an open registry carries a challenge too: without it clients would never send their credentials. */
function version(registry: Registry, request: IncomingMessage, response: ServerResponse): void {
  if (authenticates(registry.config) && !fromUi(request)) {
    response.setHeader("WWW-Authenticate", `basic realm=${registry.config.http.realm ?? ""}`);
  }
  response.writeHead(200, { "Docker-Distribution-API-Version": "registry/2.0", ...EMPTY_JSON });
  response.end();
}

function stateOf({ manifests, layout }: Registry): RegistryState {
  return {
    keys: () => layout.repositories(),
    get: (repository) =>
      layout.exists(repository)
        ? {
            tags: manifests.byTag(repository),
            manifests: { has: (digest) => manifests.find(repository, digest) !== undefined },
            blobs: { has: (digest) => layout.blobSize(repository, digest) !== undefined },
          }
        : undefined,
  };
}

function questionOf(request: IncomingMessage): HttpRequest {
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    userAgent: request.headers["user-agent"] ?? "",
    clientIp: request.socket.remoteAddress ?? "",
    forwardedFor: (request.headersDistinct["x-forwarded-for"] ?? [])
      .flatMap((line) => line.split(","))
      .map((ip) => ip.trim()),
  };
}

/** What zot's middleware, once in place, makes of a reload that takes accessControl away. */
const NOTHING_GRANTED: Decision = { allowed: false, status: 403, code: "DENIED" };

/** Nothing is refused if zot was started without accessControl (facts, section 6: the danger). */
function decisionOn(registry: Registry, identity: Identity, request: IncomingMessage): Decision {
  if (!registry.started.authorization) return { allowed: true, status: 200 };
  if (!registry.config.http.accessControl) return NOTHING_GRANTED;
  const decision = registry.authorizer().decide(identity, questionOf(request), stateOf(registry));
  // What is missing or malformed is for the handler to say: an upstream may still have it.
  const refused = !decision.allowed && (decision.status === 401 || decision.status === 403);
  return refused ? decision : { allowed: true, status: decision.status };
}

async function authorize({ registry, request, response, identity }: Exchange): Promise<boolean> {
  const decision = decisionOn(registry, identity, request);
  if (!decision.allowed) await refuseAuthorization(registry, identity, request, response, decision.reason);
  return decision.allowed;
}
