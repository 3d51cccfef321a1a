import { randomUUID } from "node:crypto";
import { passes } from "../access";
import { html, type Reply, type Request, redirect } from "../http";
import { newPlan } from "../login/plan";
import type { Application, Flow, Provider, User } from "../model";
import { deniedPage, messagePage } from "../pages";
import type { Session, Sessions } from "../sessions";
import { seconds } from "../sessions";
import type { Store } from "../store";
import { type Grant, grantedScopes } from "./claims";
import { issuerOf } from "./discovery";

/** A code handed out and what it stands for. */
interface Code {
  grant: Grant;
  redirectUri: string;
  expiresAt: number;
  challenge?: { value: string; method: string };
}

export type Codes = Map<string, Code>;

interface Visit {
  store: Store;
  request: Request;
  provider: Provider;
  application: Application;
}

interface Asked extends Visit {
  sessions: Sessions;
  codes: Codes;
  redirectUri: string;
}

export async function authorize(store: Store, sessions: Sessions, codes: Codes, request: Request): Promise<Reply> {
  const { query } = request;
  const provider = store.state.providers.find((candidate) => candidate.client_id === query.get("client_id"));
  const application = provider && store.applicationOf(provider);
  if (!provider || !application) {
    return html(400, messagePage("Client ID Error", "The client identifier (client_id) is missing or invalid."));
  }
  const redirectUri = query.get("redirect_uri") ?? "";
  if (!mayRedirect(provider, redirectUri)) {
    const message = "The request fails due to a missing, invalid, or mismatching redirection URI (redirect_uri).";
    return html(400, messagePage("Redirect URI Error", message));
  }
  const asked = { store, sessions, codes, request, provider, application, redirectUri };
  if (query.get("response_type") !== "code") return oauthError(asked, "unsupported_response_type");
  if (!mayUse(provider, "authorization_code")) return oauthError(asked, "invalid_request");
  const session = await sessions.of(request);
  const reply = decide(asked, session);
  return { ...reply, cookies: reply.status === 302 ? await sessions.cookies(session, false) : [] };
}

/** A client from before there were grant types may use all of them. */
export const mayUse = ({ grant_types }: Provider, grantType: string) => grant_types?.includes(grantType) ?? true;

/** Byte for byte, or the whole of a pattern: a slash more, or localhost for 127.0.0.1, is another URI. */
function mayRedirect({ redirect_uris }: Provider, asked: string): boolean {
  const forLogin = redirect_uris.filter(({ redirect_uri_type }) => redirect_uri_type !== "logout");
  return forLogin.some(({ matching_mode, url }) =>
    matching_mode === "regex" ? new RegExp(`^(?:${url})$`).test(asked) : url === asked,
  );
}

function decide(asked: Asked, session: Session): Reply {
  const { store, sessions, request, provider, application } = asked;
  const user = sessions.userOf(session);
  if (!user)
    return request.query.get("prompt") === "none" ? oauthError(asked, "login_required") : toLogin(asked, session);
  if (!passes(store, [application.pk], application.policy_engine_mode, user)) {
    return html(200, deniedPage(user.username));
  }
  const flow = store.state.flows.find((candidate) => candidate.pk === provider.authorization_flow) as Flow;
  const destination = () => callback(asked, session, user);
  const permissions = scopesOf(asked).map((scope) => ({
    name: store.state.scopeMappings.find((mapping) => mapping.scope_name === scope)?.description ?? "",
    id: scope,
  }));
  const plan = newPlan(store, flow, { destination, application: application.pk, permissions, fulfils: true });
  // Without a stage (implicit consent) the code comes at once, and no page of the flow is seen.
  if (plan.bindings.length === 0) return redirect(destination());
  session.plan = plan;
  return redirect(`/if/flow/${flow.slug}/?${request.query}`);
}

/** Starts the provider's invalidation flow; where a logged-out user may go afterwards is not read. */
export async function endSession(visit: Visit, sessions: Sessions): Promise<Reply> {
  const { store, request, provider, application } = visit;
  const session = await sessions.of(request);
  const user = sessions.userOf(session);
  if (!user) return { ...toLogin(visit, session), cookies: await sessions.cookies(session, false) };
  if (!passes(store, [application.pk], application.policy_engine_mode, user)) {
    return html(200, deniedPage(user.username));
  }
  const flow = store.state.flows.find((candidate) => candidate.pk === provider.invalidation_flow) as Flow;
  session.plan = newPlan(store, flow, { application: application.pk, endsSession: true });
  return redirect(`/if/flow/${flow.slug}/?${request.query}`);
}

/** The provider's own login flow, else the default one. */
function toLogin({ store, request, provider, application }: Visit, session: Session): Reply {
  const flow =
    store.state.flows.find((candidate) => candidate.pk === provider.authentication_flow) ??
    (store.state.flows.find((candidate) => candidate.slug === "default-authentication-flow") as Flow);
  session.plan = newPlan(store, flow, { application: application.pk });
  const page = new URLSearchParams(request.query);
  page.set("next", `${request.path}?${request.query}`);
  return redirect(`/if/flow/${flow.slug}/?${page}`);
}

const scopesOf = ({ store, provider, request }: Asked) =>
  grantedScopes(store, provider, request.query.get("scope") ?? "");

function callback(asked: Asked, session: Session, user: User): string {
  const { codes, request, provider, application, redirectUri } = asked;
  const { query } = request;
  const code = randomUUID().replaceAll("-", "");
  const challenge = query.get("code_challenge");
  const nonce = query.get("nonce");
  codes.set(code, {
    grant: {
      provider,
      user,
      scopes: scopesOf(asked),
      issuer: issuerOf(request.origin, application.slug, provider),
      authenticatedAt: session.authenticatedAt,
      method: session.method,
      sid: session.sid,
      ...(nonce ? { nonce } : {}),
    },
    redirectUri,
    expiresAt: Date.now() + seconds(provider.access_code_validity) * 1000,
    ...(challenge ? { challenge: { value: challenge, method: query.get("code_challenge_method") ?? "plain" } } : {}),
  });
  return withQuery(redirectUri, { code, state: query.get("state") ?? "" });
}

function oauthError({ request, redirectUri }: Asked, error: string): Reply {
  return redirect(withQuery(redirectUri, { error, state: request.query.get("state") ?? "" }));
}

function withQuery(url: string, parameters: Record<string, string>): string {
  const built = new URL(url);
  for (const [name, value] of Object.entries(parameters)) if (value !== "") built.searchParams.set(name, value);
  return built.href;
}
