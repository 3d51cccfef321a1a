import { createHash } from "node:crypto";
import { passes } from "../access";
import { json, Refusal, type Reply, type Request } from "../http";
import type { Provider, User } from "../model";
import type { Store } from "../store";
import { type Codes, mayUse } from "./authorize";
import { type Grant, grantedScopes, issueTokens, scopeClaims, subject } from "./claims";
import { issuerOf } from "./discovery";

const NO_STORE = { "cache-control": "no-store", pragma: "no-cache" };

const DESCRIPTIONS = {
  invalid_grant:
    "The provided authorization grant or refresh token is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client",
  invalid_client:
    "Client authentication failed (e.g., unknown client, no client authentication included, or unsupported authentication method)",
  unsupported_grant_type: "The authorization grant type is not supported by the authorization server",
};

function refuse(request: Request, error: keyof typeof DESCRIPTIONS): Refusal {
  const body = { error, error_description: DESCRIPTIONS[error], request_id: request.id };
  return new Refusal({ ...json(400, body), headers: NO_STORE });
}

interface Client {
  id: string;
  secret: string;
}

/** Every access token issued, for userinfo. */
export type Issued = Map<string, Grant>;

export async function token(store: Store, codes: Codes, issued: Issued, request: Request): Promise<Reply> {
  const form = (request.body ?? {}) as Record<string, string | undefined>;
  const client = clientOf(request, form);
  const provider = store.state.providers.find((candidate) => candidate.client_id === client.id);
  if (!provider) throw refuse(request, "invalid_client");
  if (!mayUse(provider, form.grant_type ?? "")) throw refuse(request, "invalid_grant");
  const grant = grantOf(store, codes, request, form, client, provider);
  const tokens = await issueTokens(store, grant);
  issued.set((tokens as { access_token: string }).access_token, grant);
  return { ...json(200, tokens), headers: NO_STORE };
}

function grantOf(
  store: Store,
  codes: Codes,
  request: Request,
  form: Record<string, string | undefined>,
  client: Client,
  provider: Provider,
): Grant {
  switch (form.grant_type) {
    case "authorization_code":
      if (client.secret !== provider.client_secret && provider.client_type === "confidential") {
        throw refuse(request, "invalid_client");
      }
      return redeem(codes, request, form, provider);
    case "client_credentials":
    case "password":
      return machine(store, request, form, client, provider);
    default:
      throw refuse(request, "unsupported_grant_type");
  }
}

function clientOf({ headers }: Request, form: Record<string, string | undefined>): Client {
  const basic = /^Basic (.+)$/i.exec(headers.authorization ?? "")?.[1];
  if (!basic) return { id: form.client_id ?? "", secret: form.client_secret ?? "" };
  // RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
  const [id = "", ...rest] = Buffer.from(basic, "base64").toString("utf8").split(":");
  return { id: formDecode(id), secret: formDecode(rest.join(":")) };
}

const formDecode = (text: string) => new URLSearchParams(`x=${text.replaceAll("&", "%26")}`).get("x") ?? "";

/** A code is good once, for its client, its redirect URI and whoever knows the verifier. */
function redeem(codes: Codes, request: Request, form: Record<string, string | undefined>, provider: Provider): Grant {
  const code = codes.get(form.code ?? "");
  codes.delete(form.code ?? "");
  const good =
    code &&
    code.grant.provider.pk === provider.pk &&
    code.expiresAt > Date.now() &&
    code.redirectUri === form.redirect_uri &&
    (!code.challenge || matches(code.challenge, form.code_verifier ?? ""));
  if (!good) throw refuse(request, "invalid_grant");
  return code.grant;
}

function matches({ value, method }: { value: string; method: string }, verifier: string): boolean {
  return value === (method === "S256" ? createHash("sha256").update(verifier).digest("base64url") : verifier);
}

/**
 * client_credentials and password are one: with a user name and an app password the client secret is not looked at;
 * without them it must be right, or be base64(user:app password) itself. With the true secret alone the grant is for a
 * user that Authentik makes up, who passes only where nothing is bound.
 */
function machine(
  store: Store,
  request: Request,
  form: Record<string, string | undefined>,
  client: Client,
  provider: Provider,
): Grant {
  const user = machineUser(store, form, client, provider);
  const application = store.applicationOf(provider);
  if (!user || !application || !passes(store, [application.pk], application.policy_engine_mode, user)) {
    throw refuse(request, "invalid_grant");
  }
  return {
    provider,
    user,
    scopes: grantedScopes(store, provider, form.scope ?? ""),
    issuer: issuerOf(request.origin, application.slug, provider),
    authenticatedAt: Math.floor(Date.now() / 1000),
    method: null,
  };
}

function machineUser(
  store: Store,
  form: Record<string, string | undefined>,
  client: Client,
  provider: Provider,
): User | undefined {
  if (form.username !== undefined) return holder(store, form.username, form.password ?? "");
  if (client.secret === provider.client_secret) {
    const username = `ak-${provider.name}-client_credentials`;
    const known = store.state.users.find((user) => user.username === username);
    return known ?? store.addUser({ username, name: username, type: "service_account" });
  }
  const [username = "", ...rest] = Buffer.from(client.secret, "base64").toString("utf8").split(":");
  return holder(store, username, rest.join(":"));
}

function holder(store: Store, username: string, appPassword: string): User | undefined {
  const user = store.user(store.tokenWithKey(appPassword, "app_password")?.user ?? null);
  return user?.is_active && user.username === username ? user : undefined;
}

export function userinfo(store: Store, issued: Issued, request: Request): Reply {
  const grant = issued.get(/^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "");
  if (!grant) {
    const headers = { "www-authenticate": 'error="invalid_token", error_description="The access token is invalid"' };
    return { ...json(401, { error: "invalid_token" }), headers: { ...headers, ...NO_STORE } };
  }
  const { provider, user, scopes, nonce } = grant;
  const claims = { sub: subject(provider, user), ...scopeClaims(store, user, scopes), ...(nonce ? { nonce } : {}) };
  return { ...json(200, claims), headers: NO_STORE };
}
