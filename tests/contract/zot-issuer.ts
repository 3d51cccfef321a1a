import { OAuth2Server } from "oauth2-mock-server";
import type { Config, Scratch } from "./zot-harness";

export interface Person {
  userinfo: Record<string, unknown>;
  idToken?: Record<string, unknown>;
}

/** An OpenID Connect issuer that logs in whoever `person` is, without asking. */
export class Issuer {
  private readonly server = new OAuth2Server();
  person: Person = { userinfo: {} };
  /** What the browser was last sent with. */
  asked = new URLSearchParams();
  /** Answers the token request with "invalid_client", as for a wrong secret. */
  refusesClient = false;

  async start(): Promise<this> {
    await this.server.issuer.keys.generate("RS256");
    await this.server.start(0, "localhost");
    const { service } = this.server;
    service.on("beforeAuthorizeRedirect", (_: unknown, request: { url: string }) => {
      this.asked = new URL(request.url, this.url).searchParams;
    });
    service.on("beforeTokenSigning", (token: { payload: Record<string, unknown> }) => {
      Object.assign(token.payload, { sub: "subject", aud: "zot", ...this.person.idToken });
    });
    service.on("beforeUserinfo", (answer: { body: Record<string, unknown> }) => {
      answer.body = { sub: "subject", ...this.person.userinfo };
    });
    service.on("beforeResponse", (answer: { statusCode: number; body: Record<string, unknown> }) => {
      if (this.refusesClient) {
        answer.statusCode = 401;
        answer.body = { error: "invalid_client" };
      }
    });
    return this;
  }

  get url(): string {
    return this.server.issuer.url as string;
  }

  async stop(): Promise<void> {
    if (this.server.listening) await this.server.stop();
  }
}

/** A registry that trusts the issuer, where the group "writers" may push. */
export function withOpenId(
  scratch: Scratch,
  issuer: string,
  provider: object = {},
  auth: object = {},
  http: object = {},
): Config {
  const credentialsFile = scratch.write("credentials.json", '{"clientid":"zot","clientsecret":"s3cret"}');
  const oidc = {
    name: "Lab",
    issuer,
    credentialsFile,
    scopes: ["email", "profile"],
    claimMapping: { username: "preferred_username" },
    ...provider,
  };
  const accessControl = {
    repositories: {
      "**": { policies: [{ groups: ["writers"], actions: ["read", "create"] }] },
      "open/**": { anonymousPolicy: ["read"], defaultPolicy: ["read"] },
    },
  };
  return {
    storage: {},
    http: { realm: "lab", auth: { openid: { providers: { oidc } }, ...auth }, accessControl, ...http },
  };
}
