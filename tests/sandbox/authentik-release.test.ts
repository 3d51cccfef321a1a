import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Authentik, type AuthentikOptions, startAuthentik } from "../../sandbox/authentik/server";
import { ask } from "../../sandbox/people";
import { createWorld, type World } from "../contract/authentik-world";

const REDIRECT = "http://127.0.0.1:5999/zot/auth/callback/oidc";

interface Client {
  grant_types?: string[];
  redirect_uris: { matching_mode: string; url: string; redirect_uri_type?: string }[];
}

const running: Authentik[] = [];
afterEach(async () => {
  for (const authentik of running.splice(0)) await authentik.stop();
});

async function start(options: Partial<AuthentikOptions> = {}): Promise<Authentik> {
  const authentik = await startAuthentik({ token: "release-test-token", ...options });
  running.push(authentik);
  return authentik;
}

const client = (authentik: Authentik, { providerPk }: World) =>
  ask<Client>(authentik, "GET", `providers/oauth2/${providerPk}/`);
const patch = (authentik: Authentik, { providerPk }: World, change: object) =>
  ask<Client>(authentik, "PATCH", `providers/oauth2/${providerPk}/`, change);

/** Where a browser that is not logged in is sent. */
async function authorize(authentik: Authentik, { clientId }: World, asked: Record<string, string> = {}) {
  const query = new URLSearchParams({ client_id: clientId, response_type: "code", redirect_uri: REDIRECT, ...asked });
  const { status, headers } = await fetch(`${authentik.url}/application/o/authorize/?${query}`, { redirect: "manual" });
  return `${status} ${(headers.get("location") ?? "").replace(/\?.*error=(\w+).*/, " $1").replace(/\?.*/, "")}`.trim();
}

const LOGIN = "302 /if/flow/default-authentication-flow/";
const REFUSED = `302 ${REDIRECT} invalid_request`;

async function machineGrant(authentik: Authentik, { clientId, bot }: World): Promise<string> {
  const { username, appPassword: password } = bot;
  const form = { grant_type: "client_credentials", client_id: clientId, username, password, scope: "openid" };
  const url = `${authentik.url}/application/o/token/`;
  const answer = await fetch(url, { method: "POST", body: new URLSearchParams(form) });
  const { error = "" } = (await answer.json()) as { error?: string };
  return `${answer.status} ${error}`.trim();
}

test("a release that does not exist is refused", async () => {
  await expect(start({ version: "2025.10" })).rejects.toThrow(
    "there is no stand-in for Authentik 2025.10: one of 2026.2, 2026.5, 2026.8",
  );
});

describe("Authentik 2026.2", () => {
  test("is what runs when nothing is said", async () => {
    const { version_current } = await ask<{ version_current: string }>(await start(), "GET", "admin/version/");
    expect(version_current).toBe("2026.2.2");
  });

  test("knows neither grant types nor the type of a redirect URI, and does not mind them", async () => {
    const authentik = await start();
    const world = await createWorld(authentik, REDIRECT);
    const redirect_uris = [{ matching_mode: "strict", url: REDIRECT, redirect_uri_type: "authorization" }];
    const changed = await patch(authentik, world, { grant_types: [], redirect_uris });
    expect(changed.grant_types).toBeUndefined();
    expect(changed.redirect_uris).toEqual([{ matching_mode: "strict", url: REDIRECT }]);
    expect(await authorize(authentik, world)).toBe(LOGIN);
  });

  test("does not know meta_hide", async () => {
    const authentik = await start();
    const { slug } = await createWorld(authentik, REDIRECT);
    expect(await ask(authentik, "GET", `core/applications/${slug}/`)).not.toHaveProperty("meta_hide");
  });
});

describe.each([
  ["2026.5", "2026.5.0"],
  ["2026.8", "2026.8.0"],
])("Authentik %s", (version, full) => {
  test("says its version", async () => {
    const { version_current } = await ask<{ version_current: string }>(
      await start({ version }),
      "GET",
      "admin/version/",
    );
    expect(version_current).toBe(full);
  });

  test("gives a client no grant types by itself, and then refuses every login and grant", async () => {
    const authentik = await start({ version });
    const world = await createWorld(authentik, REDIRECT, { grant_types: undefined });
    expect((await client(authentik, world)).grant_types).toEqual([]);
    expect(await authorize(authentik, world)).toBe(REFUSED);
    expect(await machineGrant(authentik, world)).toBe("400 invalid_grant");
    await patch(authentik, world, { grant_types: ["authorization_code"] });
    expect(await authorize(authentik, world)).toBe(LOGIN);
    expect(await machineGrant(authentik, world)).toBe("400 invalid_grant");
    await patch(authentik, world, { grant_types: ["authorization_code", "client_credentials"] });
    expect(await machineGrant(authentik, world)).toBe("200");
  });

  test("refuses an unknown grant type, and an empty list", async () => {
    const authentik = await start({ version });
    const world = await createWorld(authentik, REDIRECT);
    await expect(patch(authentik, world, { grant_types: [] })).rejects.toThrow(
      '400 to PATCH providers/oauth2/1/: {"grant_types":["This list may not be empty."]}',
    );
    await expect(patch(authentik, world, { grant_types: ["telepathy"] })).rejects.toThrow(
      '"telepathy\\" is not a valid choice.',
    );
  });

  test("answers what a redirect URI is for, and logs in to none that is for logging out", async () => {
    const authentik = await start({ version });
    const world = await createWorld(authentik, REDIRECT);
    const uri = { matching_mode: "strict", url: REDIRECT };
    expect((await client(authentik, world)).redirect_uris).toEqual([{ ...uri, redirect_uri_type: "authorization" }]);
    await patch(authentik, world, { redirect_uris: [{ ...uri, redirect_uri_type: "logout" }] });
    expect((await client(authentik, world)).redirect_uris).toEqual([{ ...uri, redirect_uri_type: "logout" }]);
    expect(await authorize(authentik, world)).toBe("400");
  });

  test("keeps the grant types of a client that a PUT does not name", async () => {
    const authentik = await start({ version });
    const world = await createWorld(authentik, REDIRECT, { grant_types: ["authorization_code"] });
    const { grant_types: _, ...whole } = await client(authentik, world);
    const put = await ask<Client>(authentik, "PUT", `providers/oauth2/${world.providerPk}/`, whole);
    expect(put.grant_types).toEqual(["authorization_code"]);
  });

  test("knows meta_hide", async () => {
    const authentik = await start({ version });
    const { slug } = await createWorld(authentik, REDIRECT);
    const path = `core/applications/${slug}/`;
    expect(await ask(authentik, "GET", path)).toMatchObject({ meta_hide: false });
    expect(await ask(authentik, "PATCH", path, { meta_hide: true })).toMatchObject({ meta_hide: true });
  });

  test("leaves every grant type to a client from an older server", async () => {
    const directory = mkdtempSync(join(tmpdir(), "harden-zot-authentik-"));
    const stateFile = join(directory, "state.json");
    const old = await start({ stateFile });
    const world = await createWorld(old, REDIRECT);
    const upgraded = await start({ stateFile, version });
    expect((await client(upgraded, world)).grant_types).toEqual([
      "authorization_code",
      "hybrid",
      "implicit",
      "client_credentials",
      "password",
      "urn:ietf:params:oauth:grant-type:device_code",
      "refresh_token",
    ]);
    expect(await authorize(upgraded, world)).toBe(LOGIN);
    rmSync(directory, { recursive: true });
  });
});

describe("behind a proxy with TLS", () => {
  async function issuerScheme(options: Partial<AuthentikOptions>): Promise<string> {
    const authentik = await start(options);
    const { slug } = await createWorld(authentik, REDIRECT);
    const url = `${authentik.url}/application/o/${slug}/.well-known/openid-configuration`;
    const answer = await fetch(url, { headers: { "x-forwarded-proto": "https" } });
    return new URL(((await answer.json()) as { issuer: string }).issuer).protocol;
  }

  test.each([
    ["2026.2", undefined, "https:"],
    ["2026.5", ["10.0.0.0/8"], "https:"],
    ["2026.8", undefined, "https:"],
    ["2026.8", ["10.0.0.0/8", "::1/128"], "http:"],
    ["2026.8", ["10.0.0.0/8", "127.0.0.1/32"], "https:"],
  ])("Authentik %s that trusts %j calls its issuer %s", async (version, trustedProxies, scheme) => {
    expect(await issuerScheme({ version, ...(trustedProxies ? { trustedProxies } : {}) })).toBe(scheme);
  });
});
