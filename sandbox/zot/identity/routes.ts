import type { IncomingMessage, ServerResponse } from "node:http";
import type { Identity } from "../../../src/zot/authorizer";
import { readBody } from "../body";
import { RegistryError, sendEmpty, sendJson } from "../distribution/errors";
import type { Registry } from "../registry";
import { bodyOf } from "../timeouts";
import { InternalError, openSession } from "./authentication";
import { allowedRedirect } from "./callback-ui";
import { identityFromClaims } from "./claims";
import { CALLBACK_PATH, LoginFailed } from "./relying-party";

const STATE_COOKIE = "statecookie";
/** zot's limit on an API key request, in bytes. */
const MAX_KEY_REQUEST = 8 * 1024;

export async function login(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { searchParams } = new URL(request.url ?? "", "http://registry");
  const party = registry.relyingParties.get(searchParams.get("provider") ?? "");
  const { sessions, config } = registry;
  if (!party || !sessions) {
    registry.logger.error("failed to authenticate due to unrecognized openid provider");
    throw new RegistryError(400);
  }
  if (sessions.broken) throw new InternalError("failed to save http session");
  const origins = [...(config.http.auth.openid?.callbackAllowOrigins ?? []), config.http.externalUrl ?? ""];
  const callback = allowedRedirect(searchParams.get("callback_ui") ?? "", origins);
  const state = await party.login(response);
  const secure = config.http.auth.secureSession ?? config.http.tls !== undefined;
  sessions.open(response, STATE_COOKIE, { state, callback }, { path: CALLBACK_PATH, secure });
  sendEmpty(response, 302);
}

export async function callback(
  registry: Registry,
  providerName: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const party = registry.relyingParties.get(providerName);
  const { sessions, users, config, logger } = registry;
  if (!party || !sessions || !users) throw new RegistryError(404);
  try {
    const outcome = await party.callback(request, response);
    const started = sessions.read(request, STATE_COOKIE);
    if (started?.state !== outcome.state) throw new LoginFailed("'state' cookie differs from the actual one");
    // The claim mapping is read from the live configuration: a reload changes it.
    const identity = identityFromClaims(config.http.auth.openid?.providers?.[providerName]?.claimMapping, outcome);
    if (!identity) throw new LoginFailed("failed to set user record for empty username value");
    openSession(registry, response, { user: identity.name, provider: providerName });
    users.setGroups(identity.name, identity.groups);
    logger.info("user profile set successfully", { identity: identity.name });
    if (started.callback) response.setHeader("Location", started.callback);
    sendEmpty(response, started.callback ? 302 : 201);
  } catch (error) {
    if (!(error instanceof LoginFailed)) throw error;
    logger.error(error.message, { component: "openID" });
    response.writeHead(401, { "Content-Type": "text/plain; charset=utf-8" }).end(`${error.message}\n`);
  }
}

export function logout(registry: Registry, request: IncomingMessage, response: ServerResponse): void {
  const { sessions, relyingParties } = registry;
  const provider = sessions?.read(request, "session")?.provider ?? "";
  const endSessionUrl = relyingParties.get(provider)?.endSessionUrl(registry.origin());
  sessions?.close(request, response, "session");
  sendJson(response, 200, endSessionUrl ? { endSessionUrl } : {});
}

export async function apiKeys(
  registry: Registry,
  identity: Identity,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { users } = registry;
  if (identity.kind !== "user" || !users) {
    // zot lets an anonymous request through where an anonymous policy exists, and then finds no user to keep a key for.
    throw new InternalError("failed to store api key");
  }
  if (request.method === "POST") {
    const body = await readBody(bodyOf(request, registry.config.http), MAX_KEY_REQUEST);
    sendJson(response, 201, users.addKey(identity.name, keyRequest(body, request.headers["user-agent"] ?? "")));
  } else if (request.method === "DELETE") {
    const ids = new URL(request.url ?? "", "http://registry").searchParams.getAll("id");
    if (ids.length !== 1) throw new RegistryError(400);
    users.removeKey(identity.name, ids[0] as string);
    sendEmpty(response, 200);
  } else {
    sendJson(response, 200, { apiKeys: users.keys(identity.name) });
  }
}

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function keyRequest(body: Buffer, userAgent: string) {
  let payload: { label?: unknown; scopes?: unknown; expirationDate?: unknown };
  try {
    payload = JSON.parse(body.toString()) ?? {};
  } catch {
    throw new RegistryError(400);
  }
  const { label = "", scopes = null, expirationDate = "" } = payload;
  const listed = scopes === null || (Array.isArray(scopes) && scopes.every((scope) => typeof scope === "string"));
  if (typeof label !== "string" || typeof expirationDate !== "string" || !listed) throw new RegistryError(400);
  if (expirationDate && !(RFC3339.test(expirationDate) && Date.parse(expirationDate) > Date.now())) {
    throw new RegistryError(400);
  }
  return { label, scopes: scopes as string[] | null, expirationDate: expirationDate || undefined, userAgent };
}
