import { CookieJar } from "tough-cookie";
import { createFetch, type Fetch } from "../http/http";
import { OperatorError } from "../operator/error";
import { foreign } from "../operator/foreign";
import { isLoopback } from "../settings/loopback";
import { answer, type Challenge, type Credentials, explainPage, flowSlug } from "./login-flow";

export interface LoginOptions extends Credentials {
  /** Base URL of the registry, its externalUrl, without a slash at the end. */
  registryUrl: string;
  /**
   * URL of the Authentik that is meant. Left out, as in requests of old states: the one that the registry sends logins to. No
   * other server is told anything.
   */
  issuer?: string;
  /** Flow to log in with. Default: the one Authentik sends the browser to. */
  flowSlug?: string;
  /** PEM of certificate authorities to trust beside the usual ones. */
  ca?: string;
  /** Default: the global one, or one that trusts `ca`. Must honour `redirect: "manual"`. */
  fetch?: Fetch;
}

const CALLBACK = /\/zot\/auth\/callback\/[^/]+$/;
const MOST_HOPS = 10;

/** A zot session; lasts as long as zot keeps it (2 h in 2.1.20). */
export interface RegistrySession {
  /** Who the registry takes us for. */
  username: string;
  jar: CookieJar;
  /** @param path under the registry's base URL, or an absolute URL. The session's cookies go along; redirects are not followed. */
  fetch: Fetch;
}

/**
 * Logs in to a registry over OpenID Connect without a browser: zot's login, Authentik's authorize and flow executor, zot's
 * callback (zot 2.1.20, Authentik 2026.2.2; the issuer may be on any host).
 * @throws OperatorError saying which step failed, what was answered and what to do; never the password
 */
export async function login(options: LoginOptions): Promise<RegistrySession> {
  const { registryUrl, username: given } = options;
  const client = await createClient(options);
  const start = new URL(`${registryUrl}/zot/auth/login?provider=oidc`);
  const authorize = await startAtRegistry(client, start);
  const issuer = new URL(options.issuer ?? authorize).origin;
  if (authorize.origin !== issuer) {
    throw new OperatorError(
      `The registry at ${start.origin} sends its logins to ${authorize.origin}, and authentik:url is at ${issuer}: nothing was sent there. Is that the registry that is meant, and does it run with the configuration of this stack?`,
    );
  }
  requireAsSafe(authorize, start);
  const callback = await logInAtIssuer(client, options, authorize, start.origin);
  await finishAtRegistry(client, callback, given);
  const username = await sessionUser(client.jar, registryUrl);
  return { username, jar: client.jar, fetch: registryFetch(client, registryUrl) };
}

function registryFetch(client: Client, registryUrl: string): Fetch {
  return (path, init = {}) => {
    const headers = new Headers(init.headers);
    // Without it zot does not look at the session's cookie.
    headers.set("x-zot-api-client", "zot-ui");
    return client.send(new URL(path, `${registryUrl}/`), { ...init, headers });
  };
}

interface Client {
  jar: CookieJar;
  /** One request with the jar's cookies, its redirect not followed. */
  send: (url: URL, init?: RequestInit) => Promise<Response>;
}

async function createClient({ fetch: given, ca }: LoginOptions): Promise<Client> {
  // zot's `state` cookie is always Secure, even where zot listens on plain http. Browsers count loopback as secure, and
  // so does this jar (allowSecureOnLocal); elsewhere plain http fails at the callback, where `finishAtRegistry` says why.
  const jar = new CookieJar(undefined, { allowSecureOnLocal: true });
  const fetchOne = await createFetch(ca, given);
  const send = async (url: URL, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    const cookie = await jar.getCookieString(url.href);
    if (cookie) headers.set("cookie", cookie);
    const response = await fetchOne(url.href, { ...init, headers: Object.fromEntries(headers), redirect: "manual" });
    // A cookie the jar will not keep is no failure yet; what needed it fails in words of its own.
    for (const line of response.headers.getSetCookie()) await jar.setCookie(line, url.href, { ignoreError: true });
    return response;
  };
  return { jar, send };
}

/** @throws OperatorError where a login that began over TLS would go on without it */
function requireAsSafe(next: URL, at: URL): void {
  if (at.protocol !== "https:" || next.protocol === "https:" || isLoopback(next.hostname)) return;
  throw new OperatorError(
    `${at.origin} sends a login on to ${next.origin}, without TLS: nothing was sent there. Put TLS in front of it, and have Authentik know itself by https (docs/troubleshooting.md)`,
  );
}

/**
 * Where a redirect leads: to another page of the same server, or back to a registry, which is looked at before it is asked.
 * @throws OperatorError for another server
 */
function redirected(location: string, at: URL): URL {
  const next = new URL(location, at);
  return CALLBACK.test(next.pathname) ? next : onSameServer(next, at);
}

function onSameServer(next: URL, at: URL): URL {
  if (next.origin === at.origin) return next;
  throw new OperatorError(
    `Authentik at ${at.origin} sends the login on to ${next.origin}, where nothing was sent: log in with a flow that stays at ${at.origin}`,
  );
}

/** @returns Authentik's authorize URL */
async function startAtRegistry(client: Client, start: URL): Promise<URL> {
  const response = await client.send(start);
  await response.body?.cancel();
  const location = response.headers.get("location");
  if (response.status === 302 && location) return new URL(location, start);
  const reasons: Record<number, string> = {
    400: "it has no provider `oidc`: http.auth.openid.providers.oidc is missing from its config",
    404: "it has no OpenID Connect login: http.auth.openid is missing from the config it runs with",
  };
  const reason = reasons[response.status] ?? "a redirect to the issuer was expected";
  throw new OperatorError(`The registry answered ${response.status} to ${start.origin}${start.pathname}: ${reason}`);
}

/** Follows Authentik until it sends us back to the registry. @returns the callback URL, code and all */
async function logInAtIssuer(client: Client, options: LoginOptions, authorize: URL, registry: string): Promise<URL> {
  const answered: string[] = [];
  let ownFlow = options.flowSlug;
  let at = authorize;
  for (let hop = 0; hop < MOST_HOPS; hop++) {
    const response = await client.send(at);
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || !location) {
      throw explainPage(response.status, await response.text(), at.origin + at.pathname, options.username);
    }
    await response.body?.cancel();
    at = redirected(location, at);
    const slug = flowSlug(at.pathname);
    if (slug !== undefined) {
      // Our flow stands in for the first we are sent to, with the same way back; a later one, of consent, is Authentik's.
      at = await runFlow(client, options, at, ownFlow ?? slug, answered);
      ownFlow = undefined;
    }
    if (CALLBACK.test(at.pathname)) return checkCallback(at, registry, options);
  }
  throw new OperatorError(`Authentik at ${authorize.origin} sent the login of ${options.username} in circles`);
}

/** @throws OperatorError when the callback cannot work */
function checkCallback(callback: URL, registry: string, credentials: Credentials): URL {
  if (callback.searchParams.has("error")) throw refusal(callback.searchParams, credentials);
  if (callback.origin === registry) return callback;
  throw new OperatorError(
    `The registry was asked for a login at ${registry} and has it end at ${callback.origin}, its externalUrl: log in at that URL, or correct http.externalUrl`,
  );
}

function refusal(answer: URLSearchParams, { username, password }: Credentials): OperatorError {
  const shown = (name: string) => foreign(answer.get(name) ?? "", password);
  const [error, description] = [shown("error"), shown("error_description")];
  const hint =
    error === "invalid_request"
      ? ": since 2026.5 it refuses every login of a client that has not the grant type authorization_code; pulumi up gives it back (in Authentik: Applications > Providers, Grant types)"
      : "";
  return new OperatorError(
    `Authentik ended the login of ${username} with the OAuth error ${error}${description ? ` (${description})` : ""}${hint}`,
  );
}

const MOST_STAGES = 20;

/** Answers the stages of one flow. @returns where the flow sends us */
async function runFlow(
  client: Client,
  credentials: Credentials,
  page: URL,
  flow: string,
  answered: string[],
): Promise<URL> {
  const executor = new URL(`/api/v3/flows/executor/${encodeURIComponent(flow)}/`, page);
  executor.searchParams.set("query", page.search.slice(1));
  let challenge = await ask(client, executor, flow);
  for (let stage = 0; stage < MOST_STAGES; stage++) {
    const move = answer(challenge, credentials, flow, answered);
    if ("goTo" in move) return redirected(move.goTo, page);
    answered.push(challenge.component);
    challenge = await ask(client, executor, flow, move.post);
  }
  throw new OperatorError(`Flow ${flow} at ${page.origin} asked for more than ${MOST_STAGES} stages`);
}

/** GET, or POST of an answer; the executor redirects to itself between stages. */
async function ask(client: Client, executor: URL, flow: string, post?: Record<string, string>): Promise<Challenge> {
  const accept = "application/json";
  let response = await client.send(executor, post ? await posting(client, executor, post) : { headers: { accept } });
  for (let hop = 0; hop < MOST_HOPS && response.status === 302; hop++) {
    await response.body?.cancel();
    response = await client.send(onSameServer(new URL(response.headers.get("location") ?? "", executor), executor), {
      headers: { accept },
    });
  }
  const text = await response.text();
  if (response.status !== 200) {
    const reason = response.status === 404 ? "there is no such flow: check its slug" : "a stage was expected";
    throw new OperatorError(`Authentik at ${executor.origin} answered ${response.status} for flow ${flow}: ${reason}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new OperatorError(`${executor.origin}${executor.pathname} did not answer in JSON: is that an Authentik?`);
  }
}

async function posting(client: Client, executor: URL, post: Record<string, string>): Promise<RequestInit> {
  const headers = new Headers({ accept: "application/json", "content-type": "application/json" });
  // Asked of whoever is logged in already (consent); an anonymous visitor has none.
  const csrf = (await client.jar.getCookies(executor.href)).find((cookie) => cookie.key === "authentik_csrf");
  if (csrf) headers.set("x-authentik-csrf", csrf.value);
  return { method: "POST", headers, body: JSON.stringify(post) };
}

async function finishAtRegistry(client: Client, callback: URL, username: string): Promise<void> {
  const cookies = await client.jar.getCookies(callback.href);
  const response = await client.send(callback);
  await response.body?.cancel();
  if (response.status === 201 || response.status === 302) return;
  const reason = cookies.some((cookie) => cookie.key === "state")
    ? "its log says why. Known causes: a wrong client secret, a provider without a signing key, no user name in the claims (an account without an email needs claimMapping username: preferred_username)"
    : `its cookie \`state\` is for https alone and does not go to ${callback.origin}: put TLS in front of the registry and make http.externalUrl the https URL`;
  throw new OperatorError(
    `The registry answered ${response.status} to the login of ${username} at ${callback.origin}${callback.pathname}: ${reason}`,
  );
}

/** zot names the user in a readable cookie beside the session's. */
async function sessionUser(jar: CookieJar, registryUrl: string): Promise<string> {
  const cookies = await jar.getCookies(registryUrl);
  const user = cookies.find((cookie) => cookie.key === "user")?.value;
  if (user && cookies.some((cookie) => cookie.key === "session")) return decodeURIComponent(user);
  throw new OperatorError(`The registry at ${registryUrl} took the login and gave no session; its log may say why`);
}
