import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ask } from "../../sandbox/people";
import { freePort, stopDaemon } from "../../sandbox/process";
import { startTlsProxy } from "../../sandbox/tls-proxy";
import { login } from "../../src/credentials/login";
import { answer } from "../../src/credentials/login-flow";
import { type LoginWorld, startLoginWorld } from "../login-world";

let here: LoginWorld;
let authentik: LoginWorld["authentik"];
let world: LoginWorld["world"];
let registryUrl: string;

beforeAll(async () => {
  here = await startLoginWorld();
  ({ authentik, world, registryUrl } = here);
});

afterAll(() => here?.stop());

/** Upload start: 202 for a member of the group, 403 for anybody else. */
const startUpload = async (session: Awaited<ReturnType<typeof login>>) =>
  (await session.fetch("v2/team/app/blobs/uploads/", { method: "POST" })).status;

describe("login", () => {
  test("a person's password ends in a session with name and groups", async () => {
    const { username, password } = world.alice;
    const session = await login({ registryUrl, username, password });
    expect(session.username).toBe(username);
    expect((await session.fetch("v2/_catalog")).status).toBe(200);
    expect(await startUpload(session)).toBe(202);
  });

  test("an account without an email logs in by its app password and may mint a key", async () => {
    const { username, appPassword: password } = world.bot;
    const session = await login({ registryUrl, username, password });
    expect(session.username).toBe(username);
    const body = JSON.stringify({ label: "test", scopes: [], expirationDate: new Date(Date.now() + 60_000) });
    const minted = await session.fetch("zot/auth/apikey", { method: "POST", body });
    expect(minted.status).toBe(201);
    const { apiKey } = (await minted.json()) as { apiKey: string };
    const authorization = `Basic ${Buffer.from(`${username}:${apiKey}`).toString("base64")}`;
    expect((await fetch(`${registryUrl}/v2/_catalog`, { headers: { authorization } })).status).toBe(200);
  });

  test("through a flow of CI accounts' own", async () => {
    const { username, appPassword: password } = world.bot;
    const session = await login({ registryUrl, username, password, flowSlug: world.ciFlow });
    expect(session.username).toBe(username);
  });

  test("explicit consent is given", async () => {
    const explicit = "flows/instances/?slug=default-provider-authorization-explicit-consent";
    const { results } = await ask<{ results: { pk: string }[] }>(authentik, "GET", explicit);
    const provider = `providers/oauth2/${world.providerPk}/`;
    const { authorization_flow } = await ask<{ authorization_flow: string }>(authentik, "GET", provider);
    await ask(authentik, "PATCH", provider, { authorization_flow: results[0]?.pk });
    const { username, password } = world.alice;
    expect((await login({ registryUrl, username, password })).username).toBe(username);
    await ask(authentik, "PATCH", provider, { authorization_flow });
  });

  test("over TLS with a CA of its own, issuer and registry alike", async () => {
    const port = await freePort();
    const proxy = await startTlsProxy(`http://127.0.0.1:${port}`);
    await ask(authentik, "PATCH", `providers/oauth2/${world.providerPk}/`, {
      redirect_uris: [
        { matching_mode: "strict", url: `${registryUrl}/zot/auth/callback/oidc` },
        { matching_mode: "strict", url: `${proxy.url}/zot/auth/callback/oidc` },
      ],
    });
    const behind = await here.startZot("zot-tls", port, proxy.url);
    const { username, password } = world.alice;
    try {
      const session = await login({ registryUrl: proxy.url, username, password, ca: proxy.ca });
      expect((await session.fetch("v2/_catalog")).status).toBe(200);
      await expect(login({ registryUrl: proxy.url, username, password })).rejects.toThrow(
        /not trusted here.*harden-zot:registry\.caFile/,
      );
    } finally {
      await stopDaemon(behind);
      await proxy.stop();
    }
  });
});

describe("a login that fails says which step and what to do", () => {
  const SECRET = "a-wrong-password-nobody-may-see";
  const failure = async (options: Partial<Parameters<typeof login>[0]>) => {
    const attempt = login({ registryUrl, username: world.alice.username, password: SECRET, ...options });
    const error = await attempt.then(
      () => new Error("logged in"),
      (thrown: Error) => thrown,
    );
    expect(`${error.message}${error.stack}`).not.toContain(options.password ?? SECRET);
    return error.message;
  };

  test("wrong password", async () => {
    expect(await failure({})).toMatch(/refused the login of alice.*ak-stage-password.*Invalid password/);
  });

  test("unknown user", async () => {
    expect(await failure({ username: "nobody" })).toMatch(/refused the login of nobody.*Invalid password/);
  });

  test("a person's ordinary password at the CI flow", async () => {
    const { username, loginPassword: password } = world.bot;
    expect(await failure({ username, password, flowSlug: world.ciFlow })).toMatch(/TokenBackend/);
  });

  test("an outsider with a valid app password at the CI flow", async () => {
    const { username, appPassword: password } = world.outsider;
    const message = await failure({ username, password, flowSlug: world.ciFlow });
    expect(message).toMatch(/took the password of outsider-bot.*did not log it in.*group/);
  });

  test("an outsider at the default flow meets the denied page", async () => {
    const { username, appPassword: password } = world.outsider;
    expect(await failure({ username, password })).toMatch(/denied it the registry.*groups bound to the application/);
  });

  test("an API token is no password", async () => {
    const { username, apiToken: password } = world.bot;
    expect(await failure({ username, password })).toMatch(/Invalid password/);
  });

  test("no such flow", async () => {
    expect(await failure({ flowSlug: "no-such-flow" })).toMatch(/404 for flow no-such-flow.*slug/);
  });

  test("nothing listens", async () => {
    expect(await failure({ registryUrl: `http://127.0.0.1:${await freePort()}` })).toMatch(/ECONNREFUSED/);
  });

  test("asked at another name than its externalUrl", async () => {
    const { password } = world.alice;
    const elsewhere = registryUrl.replace("127.0.0.1", "localhost");
    expect(await failure({ registryUrl: elsewhere, password })).toMatch(
      /has it end at http:\/\/127\.0\.0\.1.*externalUrl/,
    );
  });

  test("the redirect URI is not the one Authentik knows", async () => {
    const provider = `providers/oauth2/${world.providerPk}/`;
    const { redirect_uris } = await ask<{ redirect_uris: object[] }>(authentik, "GET", provider);
    await ask(authentik, "PATCH", provider, { redirect_uris: [{ matching_mode: "strict", url: `${registryUrl}/` }] });
    expect(await failure({})).toMatch(/redirect URI.*byte for byte/);
    await ask(authentik, "PATCH", provider, { redirect_uris });
  });

  test("a client without grant types, which only Authentik 2026.5 and later refuse", async () => {
    const redirectUri = `${registryUrl}/zot/auth/callback/oidc`;
    const refusing = async (url: string, init?: RequestInit) =>
      url.includes("/application/o/authorize/")
        ? new Response(null, { status: 302, headers: { location: `${redirectUri}?error=invalid_request&state=s` } })
        : fetch(url, init);
    expect(await failure({ fetch: refusing })).toBe(
      "Authentik ended the login of alice with the OAuth error invalid_request: since 2026.5 it refuses every login of a client that has not the grant type authorization_code; pulumi up gives it back (in Authentik: Applications > Providers, Grant types)".replace(
        "alice",
        world.alice.username,
      ),
    );
  });

  test("another OAuth error is handed on as it is", async () => {
    const location = `${registryUrl}/zot/auth/callback/oidc?error=access_denied&error_description=The+owner+denied+it&state=s`;
    const refusing = async (url: string, init?: RequestInit) =>
      url.includes("/application/o/authorize/")
        ? new Response(null, { status: 302, headers: { location } })
        : fetch(url, init);
    expect(await failure({ fetch: refusing })).toBe(
      `Authentik ended the login of ${world.alice.username} with the OAuth error access_denied (The owner denied it)`,
    );
  });

  test("a second factor is not ours to give", () => {
    const challenge = { component: "ak-stage-authenticator-validate" };
    const credentials = { username: "alice", password: SECRET };
    expect(() => answer(challenge, credentials, "f", [])).toThrow(/second factor.*CI accounts/);
  });

  test("the registry's `state` cookie does not travel over plain http", async () => {
    const { password } = world.alice;
    // The same registry by a name that is not loopback, resolved here.
    const plain = "http://registry.example.test";
    const through = (url: string, init?: RequestInit) =>
      fetch(url.replace(plain, registryUrl), init).then((response) => {
        const location = response.headers
          .get("location")
          ?.replace(encodeURIComponent(registryUrl), encodeURIComponent(plain));
        return location ? relocated(response, location.replace(registryUrl, plain)) : response;
      });
    await ask(authentik, "PATCH", `providers/oauth2/${world.providerPk}/`, {
      redirect_uris: [
        { matching_mode: "strict", url: `${registryUrl}/zot/auth/callback/oidc` },
        { matching_mode: "strict", url: `${plain}/zot/auth/callback/oidc` },
      ],
    });
    expect(await failure({ registryUrl: plain, password, fetch: through })).toMatch(/401.*`state` is for https.*TLS/);
  });
});

function relocated(response: Response, location: string): Response {
  const headers = new Headers(response.headers);
  headers.set("location", location);
  return new Response(null, { status: response.status, headers });
}

describe("a password goes to the Authentik that is meant, and nowhere else", () => {
  const SECRET = "a-password-that-travels";
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** Sends everyone on. @returns its URL, and what it was asked */
  async function sendingTo(location: (url: string) => string) {
    const asked: string[] = [];
    const server = createServer((incoming, outgoing) => {
      asked.push(`${incoming.method} ${incoming.url}`);
      incoming.resume();
      outgoing.writeHead(302, { location: location(incoming.url ?? "") }).end();
    });
    servers.push(server);
    await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }

  const attempt = (from: string, issuer?: string) =>
    login({ registryUrl: from, username: "zot-ci", password: SECRET, flowSlug: "ci", ...(issuer ? { issuer } : {}) });

  test("a registry that sends its logins elsewhere", async () => {
    const thief = await sendingTo(() => "/if/flow/ci/");
    const registry = await sendingTo(() => `${thief.url}/application/o/authorize/`);
    await expect(attempt(registry.url, "http://127.0.0.1:9/")).rejects.toThrow(
      `The registry at ${registry.url} sends its logins to ${thief.url}, and authentik:url is at http://127.0.0.1:9: nothing was sent there.`,
    );
    expect(thief.asked).toEqual([]);
  });

  test.each(["told", "not told"])(
    "an Authentik that sends the login on, to one that was %s which is meant",
    async (told) => {
      const thief = await sendingTo(() => "/if/flow/ci/");
      const issuer = await sendingTo(() => `${thief.url}/if/flow/ci/`);
      const registry = await sendingTo(() => `${issuer.url}/application/o/authorize/`);
      await expect(attempt(registry.url, told === "told" ? issuer.url : undefined)).rejects.toThrow(
        `Authentik at ${issuer.url} sends the login on to ${thief.url}, where nothing was sent`,
      );
      expect(thief.asked).toEqual([]);
    },
  );

  test.each(["/api/", "/zot/auth/callback/oidc"])("a flow executor that sends the login on to %s", async (path) => {
    const thief = await sendingTo(() => "/");
    const issuer = await sendingTo((url) => (url.startsWith("/api/") ? `${thief.url}${path}` : "/if/flow/ci/"));
    const registry = await sendingTo(() => `${issuer.url}/application/o/authorize/`);
    await expect(attempt(registry.url, issuer.url)).rejects.toThrow(
      `Authentik at ${issuer.url} sends the login on to ${thief.url}, where nothing was sent`,
    );
    expect(thief.asked).toEqual([]);
  });
});

test.each([
  { component: "ak-stage-password", response_errors: { password: [{ string: "not s3cret\u001b[2J", code: "x" }] } },
  { component: "ak-stage-access-denied", error_message: "not s3cret\u001b[2J" },
  { component: "ak-stage-flow-error", request_id: "s3cret\u001b[2J" },
  { component: "ak-stage-s3cret\u001b[2J" },
])(
  "an issuer that sends the password back is not quoted with it, nor with what speaks to a terminal: %j",
  (challenge) => {
    const credentials = { username: "zot-ci", password: "s3cret" };
    expect(() => answer(challenge, credentials, "ci", [])).toThrow(/^(?!.*s3cret)[\x20-\x7e]*\*\*\*\[2J/s);
  },
);
