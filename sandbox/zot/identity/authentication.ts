import type { IncomingMessage, ServerResponse } from "node:http";
import type { Identity } from "../../../src/zot/authorizer";
import { authenticates } from "../config/validate";
import type { Registry } from "../registry";
import { addCookie, expireCookie } from "./sessions";

/** A header by which zot's web UI says that its session cookie counts. */
export const fromUi = (request: IncomingMessage) => request.headers["x-zot-api-client"] === "zot-ui";

/** The answer is 500: zot's handler panics or fails on the same request. */
export class InternalError extends Error {}

/** Seconds the session cookie and the readable user cookie live. */
const MAX_AGE = 7200;

/**
 * Who asks, by zot's order of methods (zot 2.1.20, tryAuthnHandlers): an Authorization header, a session when the UI's
 * header is there, else anonymous. `anonymousAllowed` says whether this request may go on without a name.
 */
export async function authenticate(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  anonymousAllowed: boolean,
): Promise<Identity> {
  const authorization = request.headersDistinct.authorization ?? [];
  const header = authorization[0] ?? "";
  if (authorization.length > 1) return { kind: "wrong-credentials" };
  const given = header !== "" && header.toLowerCase() !== "basic og==";
  if (given && authenticates(registry.config)) return basic(registry, request, response, header);
  if (fromUi(request)) {
    const identity = session(registry, request, response);
    return identity.kind === "wrong-credentials" && anonymousAllowed ? { kind: "anonymous" } : identity;
  }
  return { kind: "anonymous" };
}

async function basic(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  header: string,
): Promise<Identity> {
  const credentials = parseBasic(header);
  if (!credentials) return { kind: "wrong-credentials" };
  const { name, password } = credentials;
  const { users } = registry;
  if (await registry.htpasswd.accepts(name, password)) {
    const groups = configuredGroups(registry, name);
    if (!users) throw new InternalError("no user database: the registry was started without authentication");
    users.setGroups(name, groups);
    if (fromUi(request)) openSession(registry, response, { user: name });
    return { kind: "user", name, groups, via: "htpasswd" };
  }
  if (registry.config.http.auth.apikey && users?.acceptsKey(name, password)) {
    return { kind: "user", name, groups: users.groups(name) ?? [], via: "apikey" };
  }
  return { kind: "wrong-credentials" };
}

function parseBasic(header: string): { name: string; password: string } | undefined {
  const [scheme = "", encoded = ""] = header.split(" ");
  const decoded = Buffer.from(encoded, "base64").toString();
  const colon = decoded.indexOf(":");
  if (scheme.toLowerCase() !== "basic" || colon < 0) return undefined;
  return { name: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** accessControl.groups speaks of htpasswd users only. */
function configuredGroups(registry: Registry, name: string): string[] {
  return Object.entries(registry.config.http.accessControl?.groups ?? {})
    .filter(([, group]) => group.users?.includes(name))
    .map(([group]) => group);
}

function session({ sessions, users }: Registry, request: IncomingMessage, response: ServerResponse): Identity {
  if (!sessions || !users) throw new InternalError("no session store: the registry was started without authentication");
  const name = sessions.read(request, "session")?.user;
  const groups = name === undefined ? undefined : users.groups(name);
  if (name === undefined || groups === undefined) {
    expireCookie(response, "session");
    return { kind: "wrong-credentials" };
  }
  return { kind: "user", name, groups, via: "session" };
}

/** Sets the session cookie and the `user` cookie that the UI reads. */
export function openSession(registry: Registry, response: ServerResponse, values: Record<string, string>): void {
  const { sessions, config } = registry;
  if (!sessions || sessions.broken) throw new InternalError("failed to save http session");
  const secure = config.http.auth.secureSession ?? config.http.tls !== undefined;
  sessions.open(response, "session", values, { secure });
  addCookie(response, "user", values.user ?? "", { secure, maxAge: MAX_AGE });
}
