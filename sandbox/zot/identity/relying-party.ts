import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RawConfig } from "../../../src/zot/file/schema";
import { addCookie, expireCookie, type Sessions } from "./sessions";

/** How long zot waits for the discovery document. */
const DISCOVERY_TIMEOUT_MS = 30_000;
/** Lifetime of the browser's state cookie, in seconds. */
const STATE_MAX_AGE = 120;

export const CALLBACK_PATH = "/zot/auth/callback";

type OpenId = NonNullable<NonNullable<NonNullable<RawConfig["http"]>["auth"]>["openid"]>;
export type Provider = NonNullable<OpenId["providers"]>[string];

type Claims = Record<string, unknown>;

/** The issuer cannot be used; zot ends with exit code 2. */
export class DiscoveryFailed extends Error {
  constructor(
    message: string,
    readonly fields: { issuer: string; redirectURI: string; scopes: string[] },
  ) {
    super(message);
  }
}

/** The login could not be completed; `message` goes to the log. */
export class LoginFailed extends Error {}

export interface Login {
  userinfo: Claims;
  idToken: Claims;
  state: string;
}

/** zot as an OpenID Connect relying party of one provider. */
export class RelyingParty {
  private constructor(
    private readonly provider: Omit<Provider, "issuer" | "clientid"> & { issuer: string; clientid: string },
    private readonly metadata: { issuer: string; end_session_endpoint?: string },
    private readonly redirectUri: string,
    private readonly sessions: Sessions,
  ) {}

  static async discover(name: string, provider: Provider, origin: string, sessions: Sessions): Promise<RelyingParty> {
    const { issuer = "", clientid = "" } = provider;
    const redirectUri = `${origin}${CALLBACK_PATH}/${name}`;
    const fail = (reason: string) =>
      new DiscoveryFailed(reason, { issuer, redirectURI: redirectUri, scopes: provider.scopes ?? [] });
    const metadata = await fetchMetadata(issuer, fail);
    return new RelyingParty({ ...provider, issuer, clientid }, metadata, redirectUri, sessions);
  }

  /** Sends the browser to the issuer. PKCE only without a client secret, as zot does. */
  async login(response: ServerResponse): Promise<string> {
    const client = await import("openid-client");
    const state = randomUUID();
    this.setSealed(response, "state", state);
    const parameters: Record<string, string> = { redirect_uri: this.redirectUri, scope: this.scope(), state };
    if (!this.provider.clientsecret) {
      const verifier = client.randomPKCECodeVerifier();
      this.setSealed(response, "pkce", verifier);
      parameters.code_challenge = await client.calculatePKCECodeChallenge(verifier);
      parameters.code_challenge_method = "S256";
    }
    response.setHeader("Location", client.buildAuthorizationUrl(await this.client(), parameters).href);
    return state;
  }

  /** The code flow's second half. Throws LoginFailed. */
  async callback(request: IncomingMessage, response: ServerResponse): Promise<Login> {
    const client = await import("openid-client");
    const state = this.sessions.unseal(request, "state");
    if (state === undefined) throw new LoginFailed("failed to get state: http: named cookie not present");
    expireCookie(response, "state");
    const verifier = this.sessions.unseal(request, "pkce");
    const { search } = new URL(request.url ?? "", this.redirectUri);
    try {
      const configuration = await this.client();
      const tokens = await client.authorizationCodeGrant(configuration, new URL(`${this.redirectUri}${search}`), {
        expectedState: state,
        idTokenExpected: true,
        ...(verifier === undefined ? {} : { pkceCodeVerifier: verifier }),
      });
      const idToken = tokens.claims() as Claims;
      const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, String(idToken.sub));
      return { userinfo: userinfo as Claims, idToken, state };
    } catch (error) {
      throw new LoginFailed(`failed to exchange token: ${(error as Error).message}`);
    }
  }

  /** The issuer's logout page, if it has one. */
  endSessionUrl(origin: string): string | undefined {
    if (!this.metadata.end_session_endpoint) return undefined;
    const url = new URL(this.metadata.end_session_endpoint);
    url.searchParams.set("client_id", this.provider.clientid);
    url.searchParams.set("post_logout_redirect_uri", `${origin}/login`);
    return url.href;
  }

  private scope(): string {
    const scopes = this.provider.scopes ?? [];
    return (scopes.includes("openid") ? scopes : ["openid", ...scopes]).join(" ");
  }

  private setSealed(response: ServerResponse, name: string, value: string): void {
    // Always Secure, whatever the scheme: zot's library sets it so.
    const options = { maxAge: STATE_MAX_AGE, httpOnly: true, secure: true, sameSite: "lax" } as const;
    addCookie(response, name, this.sessions.seal(name, value), options);
  }

  private async client() {
    const client = await import("openid-client");
    const { clientid, clientsecret } = this.provider;
    const authentication = clientsecret ? client.ClientSecretBasic(clientsecret) : client.None();
    const configuration = new client.Configuration(this.metadata, clientid, clientsecret, authentication);
    client.allowInsecureRequests(configuration);
    return configuration;
  }
}

async function fetchMetadata(
  issuer: string,
  fail: (reason: string) => DiscoveryFailed,
): Promise<{ issuer: string; end_session_endpoint?: string }> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const failed = (reason: string) => fail(`OpenID Provider Configuration Discovery has failed\n${reason}`);
  let metadata: { issuer: string };
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS) });
    if (!response.ok) {
      throw failed(`http status not ok: ${response.status} ${response.statusText} ${await response.text()}`);
    }
    metadata = (await response.json()) as { issuer: string };
  } catch (error) {
    if (error instanceof DiscoveryFailed) throw error;
    throw failed(`Get "${url}": ${describeNetworkError(error as Error)}`);
  }
  if (metadata.issuer !== issuer) throw fail(`issuer does not match: Expected: ${issuer}, got: ${metadata.issuer}`);
  return metadata;
}

function describeNetworkError(error: Error): string {
  if (error.name === "TimeoutError") {
    return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
  }
  const cause = error.cause as (NodeJS.ErrnoException & { address?: string; port?: number }) | undefined;
  if (cause?.code === "ECONNREFUSED") return `dial tcp ${cause.address}:${cause.port}: connect: connection refused`;
  return cause?.message ?? error.message;
}
