import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../sandbox/process";
import { Browser } from "./zot-browser";
import { BINARIES, isLater, manifestOf, push, putManifest, Scratch, Zot } from "./zot-harness";
import { Issuer, withOpenId } from "./zot-issuer";

const alice = { userinfo: { preferred_username: "alice", email: "alice@example.test", groups: ["writers"] } };

const keyRequest = (fields: object = {}) => JSON.stringify({ label: "ci", scopes: ["apps/**"], ...fields });

async function mint(browser: Browser, fields: object = {}) {
  const answer = await browser.ui("/zot/auth/apikey", { method: "POST", body: keyRequest(fields) });
  expect(answer.status).toBe(201);
  return answer.json as { apiKey: string; uuid: string; [field: string]: unknown };
}

describe.each(BINARIES)("%s: OpenID Connect login and API keys", (_, binary) => {
  const scratch = new Scratch();
  let issuer: Issuer;
  let zot: Zot;

  beforeAll(async () => {
    issuer = await new Issuer().start();
    const keys = scratch.write("keys.json", '{"hashKey":"0123456789abcdef0123456789abcdef"}');
    const auth = { sessionKeysFile: keys, htpasswd: { path: scratch.htpasswd("local", "alice2") } };
    zot = await new Zot(binary, scratch, withOpenId(scratch, issuer.url, {}, auth)).start();
  });
  afterAll(async () => {
    await zot?.stop();
    await issuer?.stop();
    scratch.remove();
  });

  async function loggedIn(person: Issuer["person"] = alice): Promise<Browser> {
    issuer.person = person;
    const browser = new Browser(zot);
    expect((await browser.logIn("&callback_ui=/home")).status).toBe(302);
    return browser;
  }

  it("sends the browser to the issuer and takes it back", async () => {
    issuer.person = alice;
    const browser = new Browser(zot);
    const done = await browser.logIn("&callback_ui=/home");
    expect([done.status, done.headers.get("location")]).toEqual([302, "/home"]);
    expect(issuer.asked.get("redirect_uri")).toBe(`${zot.url}/zot/auth/callback/oidc`);
    expect(issuer.asked.get("client_id")).toBe("zot");
    expect(issuer.asked.get("response_type")).toBe("code");
    expect(issuer.asked.get("scope")).toBe("openid email profile");
    expect([issuer.asked.get("code_challenge"), issuer.asked.get("nonce")]).toEqual([null, null]);
  });

  it("sets zot's cookies with zot's attributes", async () => {
    const browser = await loggedIn();
    const attributes = (name: string) =>
      (browser.seen.get(name) ?? "")
        .toLowerCase()
        .split("; ")
        .slice(1)
        .filter((part) => !part.startsWith("expires"))
        .sort();
    expect(attributes("statecookie")).toEqual(["httponly", "max-age=7200", "path=/zot/auth/callback"]);
    expect(attributes("session")).toEqual(["httponly", "max-age=7200", "path=/"]);
    expect(attributes("user")).toEqual(["max-age=7200", "path=/"]);
    expect(browser.seen.get("user")).toMatch(/^user=alice;/);
    const started = await new Browser(zot).ask("/zot/auth/login?provider=oidc");
    const state = started.headers.getSetCookie().find((line) => line.startsWith("state=")) ?? "";
    browser.seen.set("state", state);
    expect(attributes("state")).toEqual(["httponly", "max-age=120", "path=/", "samesite=lax", "secure"]);
  });

  it("sends nobody to a foreign place", async () => {
    issuer.person = alice;
    const back = async (query: string) => (await new Browser(zot).logIn(query)).headers.get("location");
    expect(await back("&callback_ui=https://evil.test/")).toBe("/");
    expect(await back("&callback_ui=//evil.test/")).toBe("/");
    expect(await back("&callback_ui=/%5Cevil.test")).toBe("/");
    const none = await new Browser(zot).logIn();
    expect([none.status, none.headers.get("location")]).toEqual([201, null]);
  });

  it("refuses what it did not start", async () => {
    issuer.person = alice;
    expect((await zot.ask("/zot/auth/login?provider=okta")).status).toBe(400);
    expect((await zot.ask("/zot/auth/callback/oidc?code=x&state=y")).status).toBe(401);
    const victim = new Browser(zot);
    await victim.ask("/zot/auth/login?provider=oidc");
    expect((await victim.ask("/zot/auth/callback/oidc?code=x&state=another")).status).toBe(401);
    issuer.refusesClient = true;
    expect((await new Browser(zot).logIn()).status).toBe(401);
    issuer.refusesClient = false;
  });

  it("takes the name from userinfo and groups from userinfo and ID token", async () => {
    const nameless = await loggedIn({ userinfo: { email: "nopref@example.test" } });
    expect(nameless.cookies.get("user")?.value).toMatch(/^"?nopref@example.test"?$|^nopref%40example.test$/);
    const nobody = new Browser(zot);
    issuer.person = { userinfo: {} };
    expect((await nobody.logIn()).status).toBe(401);
    const byToken = await loggedIn({ userinfo: { preferred_username: "dora" }, idToken: { groups: ["writers"] } });
    const { apiKey } = await mint(byToken);
    expect((await push(zot, "apps/dora", "v1", "one", `dora:${apiKey}`)).status).toBe(201);
    const without = await mint(await loggedIn({ userinfo: { preferred_username: "eve", groups: ["others"] } }));
    expect((await push(zot, "apps/eve", "v1", "one", `eve:${without.apiKey}`)).status).toBe(403);
  });

  it("needs the UI's header to let a session count", async () => {
    const browser = await loggedIn();
    expect((await browser.ui("/v2/")).status).toBe(200);
    expect((await browser.ui("/zot/auth/apikey")).status).toBe(200);
    // An anonymous policy exists, so the request goes on without a name and fails there.
    expect((await browser.ask("/zot/auth/apikey")).status).toBe(500);
    expect((await browser.ui("/v2/apps/web/tags/list")).status).toBe(404);
    expect((await browser.ask("/v2/apps/web/tags/list")).status).toBe(401);
  });

  it("mints keys in zot's shape", async () => {
    const browser = await loggedIn();
    const expirationDate = new Date(Date.now() + 3_600_000).toISOString();
    const key = await mint(browser, { expirationDate });
    expect(Object.keys(key).sort()).toEqual(
      [
        "apiKey",
        "createdAt",
        "creatorUa",
        "expirationDate",
        "generatedBy",
        "isExpired",
        "label",
        "lastUsed",
        "scopes",
        "uuid",
      ].sort(),
    );
    expect(key.apiKey).toMatch(/^zak_[0-9a-f]{32}$/);
    expect(Date.parse(String(key.expirationDate))).toBe(Date.parse(expirationDate));
    expect(key).toMatchObject({ isExpired: false, generatedBy: "manual", label: "ci", scopes: ["apps/**"] });
    const eternal = await mint(browser);
    expect([eternal.expirationDate, eternal.lastUsed]).toEqual(["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"]);
    const { apiKeys } = (await browser.ui("/zot/auth/apikey")).json;
    const listed = apiKeys.find(({ uuid }: { uuid: string }) => uuid === key.uuid);
    expect(listed).toMatchObject({ label: "ci" });
    expect(listed).not.toHaveProperty("apiKey");
  });

  it("refuses a key request it cannot read", async () => {
    const browser = await loggedIn();
    const refused = async (body: string) => (await browser.ui("/zot/auth/apikey", { method: "POST", body })).status;
    expect(await refused(keyRequest({ expirationDate: "2020-01-01T00:00:00Z" }))).toBe(400);
    expect(await refused(keyRequest({ expirationDate: "tomorrow" }))).toBe(400);
    expect(await refused("{")).toBe(400);
  });

  it("lets a key in for its owner alone, until it is revoked", async () => {
    const browser = await loggedIn();
    const { apiKey, uuid } = await mint(browser);
    expect(await zot.status("/v2/", { as: `alice:${apiKey}` })).toBe(200);
    expect(await zot.status("/v2/", { as: `Alice:${apiKey}` })).toBe(401);
    expect(await zot.status("/v2/", { as: `local:${apiKey}` })).toBe(401);
    // A later zot takes no notice of it: the caller is anonymous (zot-answers.ts).
    expect(await zot.status("/v2/", { headers: { Authorization: `Bearer ${apiKey}` } })).toBe(
      isLater(binary) ? 200 : 401,
    );
    expect(await zot.status("/v2/", { as: `alice:${apiKey.slice(0, -1)}0${apiKey.endsWith("0") ? "1" : ""}` })).toBe(
      401,
    );
    // Scopes are kept and not enforced.
    expect((await push(zot, "private/x", "v1", "one", `alice:${apiKey}`)).status).toBe(201);
    const other = await loggedIn({ userinfo: { preferred_username: "mallory" } });
    expect((await other.ui(`/zot/auth/apikey?id=${uuid}`, { method: "DELETE" })).status).toBe(200);
    expect(await zot.status("/v2/", { as: `alice:${apiKey}` })).toBe(200);
    expect((await browser.ui("/zot/auth/apikey?id=unknown", { method: "DELETE" })).status).toBe(200);
    expect((await browser.ui(`/zot/auth/apikey?id=${uuid}`, { method: "DELETE" })).status).toBe(200);
    expect(await zot.status("/v2/", { as: `alice:${apiKey}` })).toBe(401);
  });

  it("lets a key mint and revoke keys, and htpasswd users mint theirs", async () => {
    const { apiKey } = await mint(await loggedIn());
    const second = await zot.ask("/zot/auth/apikey", { method: "POST", as: `alice:${apiKey}`, body: keyRequest() });
    expect(second.status).toBe(201);
    const gone = `/zot/auth/apikey?id=${second.json.uuid}`;
    expect(await zot.status(gone, { method: "DELETE", as: `alice:${apiKey}` })).toBe(200);
    expect(await zot.status("/v2/", { as: `alice:${second.json.apiKey}` })).toBe(401);
    const local = await zot.ask("/zot/auth/apikey", { method: "POST", as: "local", body: keyRequest() });
    expect(local.status).toBe(201);
    expect(await zot.status("/v2/", { as: `local:${local.json.apiKey}` })).toBe(200);
  });

  it("expires a key, even where anonymous may read", async () => {
    const browser = await loggedIn();
    const expirationDate = new Date(Date.now() + 2000).toISOString().replace(/\.\d+/, "");
    const { apiKey, uuid } = await mint(browser, { expirationDate });
    await new Promise((resolve) => setTimeout(resolve, Date.parse(expirationDate) - Date.now() + 50));
    expect(await zot.status("/v2/open/x/tags/list", { as: `alice:${apiKey}` })).toBe(401);
    const { apiKeys } = (await browser.ui("/zot/auth/apikey")).json;
    expect(apiKeys.find((key: { uuid: string }) => key.uuid === uuid).isExpired).toBe(true);
  });

  it("lets an htpasswd login of the same name rewrite the groups", async () => {
    const { apiKey } = await mint(await loggedIn({ userinfo: { preferred_username: "alice2", groups: ["writers"] } }));
    expect((await push(zot, "apps/a2", "v1", "one", `alice2:${apiKey}`)).status).toBe(201);
    expect(await zot.status("/v2/", { as: "alice2" })).toBe(200);
    expect((await putManifest(zot, "apps/a2", "v2", manifestOf("one"), `alice2:${apiKey}`)).status).toBe(403);
  });

  it("logs out of the session and not out of the keys", async () => {
    const browser = await loggedIn();
    const { apiKey } = await mint(browser);
    const out = await browser.ui("/zot/auth/logout", { method: "POST" });
    expect(out.status).toBe(200);
    const end = new URL(out.json.endSessionUrl);
    expect(end.searchParams.get("client_id")).toBe("zot");
    expect(end.searchParams.get("post_logout_redirect_uri")).toBe(`${zot.url}/login`);
    expect((await browser.ui("/zot/auth/apikey")).status).not.toBe(200);
    expect(await zot.status("/v2/", { as: `alice:${apiKey}` })).toBe(200);
  });

  it("keeps sessions and keys over a restart, and works while the issuer is away", async () => {
    const browser = await loggedIn();
    const { apiKey } = await mint(browser);
    expect(readFileSync(join(scratch.path, "root", "meta.db")).includes(apiKey.slice(4))).toBe(false);
    await zot.restart();
    expect((await browser.ui("/zot/auth/apikey")).status).toBe(200);
    expect(await zot.status("/v2/", { as: `alice:${apiKey}` })).toBe(200);
    await issuer.stop();
    expect(await zot.status("/v2/", { as: `alice:${apiKey}` })).toBe(200);
    expect((await browser.ui("/zot/auth/apikey")).status).toBe(200);
    await zot.stop();
    rmSync(join(scratch.path, "root", "meta.db"));
    await zot.start();
    expect(zot.exitCode).toBe(2);
  });
});

describe.each(BINARIES)("%s: sessions without a key file, PKCE without a secret", (_, binary) => {
  it("ends sessions at a restart; API keys stay", async () => {
    const scratch = new Scratch();
    const issuer = await new Issuer().start();
    const credentials = { credentialsFile: undefined, clientid: "zot", scopes: ["openid"] };
    const zot = await new Zot(binary, scratch, withOpenId(scratch, issuer.url, credentials)).start();
    issuer.person = alice;
    const browser = new Browser(zot);
    expect((await browser.logIn("&callback_ui=/")).status).toBe(302);
    expect(issuer.asked.get("code_challenge_method")).toBe("S256");
    const { apiKey } = await mint(browser);
    await zot.restart();
    expect((await browser.ui("/zot/auth/apikey")).status).not.toBe(200);
    expect(await zot.status("/v2/", { as: `alice:${apiKey}` })).toBe(200);
    await zot.stop();
    await issuer.stop();
    scratch.remove();
  });
});

describe.each(BINARIES)("%s: an issuer that is not right", (_, binary) => {
  const scratch = new Scratch();
  afterAll(() => scratch.remove());

  async function start(issuer: string): Promise<Zot> {
    return new Zot(binary, scratch, withOpenId(scratch, issuer)).start();
  }

  it("ends with 2 and says why, whatever is wrong with it", async () => {
    const issuer = await new Issuer().start();
    for (const [url, reason] of [
      [`http://127.0.0.1:${await freePort()}`, "connection refused"],
      [`${issuer.url}/`, "issuer does not match"],
      [`${issuer.url}/nowhere`, "404"],
    ] as const) {
      const zot = await start(url);
      expect(zot.exitCode).toBe(2);
      expect(zot.log).toContain('"message":"failed to initialize new relying party oidc"');
      expect(zot.log).toContain(reason);
    }
    await issuer.stop();
  });
});
