import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Authentik, startAuthentik } from "../../sandbox/authentik/server";
import { ask } from "../../sandbox/people";
import { createWorld, type World } from "../contract/authentik-world";

const REDIRECT = "http://127.0.0.1:5999/zot/auth/callback/oidc";
let authentik: Authentik;
let world: World;

beforeAll(async () => {
  authentik = await startAuthentik({ token: "server-test-token" });
  world = await createWorld(authentik, REDIRECT);
});

afterAll(() => authentik?.stop());

const executor = (query = "") =>
  `${authentik.url}/api/v3/flows/executor/${world.ciFlow}/?query=${encodeURIComponent(query)}`;

/** Answers the CI flow's two questions with a session kept by hand. @returns the last challenge, and the cookie before and after */
async function logIn(password: string, query = "", cookie?: string) {
  let sent = cookie ?? sessionCookie(await fetch(executor(query)));
  const before = sent;
  const send = async (answer?: object): Promise<Response> => {
    const headers = { cookie: sent, "content-type": "application/json" };
    const post = answer ? { method: "POST", body: JSON.stringify(answer) } : {};
    const response = await fetch(executor(query), { ...post, headers, redirect: "manual" });
    sent = sessionCookie(response);
    return response.status === 302 ? send() : response;
  };
  await send({ component: "ak-stage-identification", uid_field: world.bot.username });
  const challenge = (await (await send({ component: "ak-stage-password", password })).json()) as Record<
    string,
    unknown
  >;
  return { challenge, before, after: sent };
}

const sessionCookie = (response: Response) =>
  response.headers
    .getSetCookie()
    .map((line) => line.split(";")[0] as string)
    .find((pair) => pair.startsWith("authentik_session=")) ?? "";

const me = async (cookie: string) =>
  (await fetch(`${authentik.url}/api/v3/core/users/me/`, { headers: { cookie } })).status;

describe("the flow executor", () => {
  test.each(["https://evil.example", "//evil.example", "/\\evil.example"])(
    "does not send a login on to %s",
    async (next) => {
      const { challenge } = await logIn(world.bot.appPassword, `next=${encodeURIComponent(next)}`);
      expect(challenge).toEqual({ component: "xak-flow-redirect", to: "/" });
    },
  );

  test("changes the session at login, so that one planted before is worth nothing", async () => {
    const { before, after } = await logIn(world.bot.appPassword);
    expect([await me(before), await me(after)]).toEqual([403, 200]);
  });

  test("does not take a session cookie that it did not sign", async () => {
    const { after } = await logIn(world.bot.appPassword);
    expect(await me(`${after.slice(0, -4)}AAAA`)).toBe(403);
  });

  test("gives up after five wrong passwords", async () => {
    let cookie: string | undefined;
    const components: unknown[] = [];
    const first = await logIn("wrong");
    cookie = first.after;
    for (let attempt = 2; attempt <= 5; attempt++) {
      const headers = { cookie, "content-type": "application/json" };
      const body = JSON.stringify({ component: "ak-stage-password", password: `wrong ${attempt}` });
      const response = await fetch(executor(), { method: "POST", headers, body });
      components.push(((await response.json()) as { component: string }).component);
    }
    expect(components.at(-2)).toBe("ak-stage-password");
    expect(components.at(-1)).toBe("ak-stage-access-denied");
  });

  test("an expired app password is no password, and gone", async () => {
    const identifier = "soon-expired";
    const expires = new Date(Date.now() + 300).toISOString();
    const body = { identifier, user: world.bot.pk, intent: "app_password", expires };
    await ask(authentik, "POST", "core/tokens/", body);
    const { key } = await ask<{ key: string }>(authentik, "GET", `core/tokens/${identifier}/view_key/`);
    await sleep(350);
    const { challenge } = await logIn(key);
    expect(JSON.stringify(challenge.response_errors)).toContain("Invalid password");
    await expect(ask(authentik, "GET", `core/tokens/${identifier}/`)).rejects.toThrow("No Token matches");
  });

  test("an account that was switched off is out, its session too", async () => {
    const { after } = await logIn(world.bot.appPassword);
    await ask(authentik, "PATCH", `core/users/${world.bot.pk}/`, { is_active: false });
    expect(await me(after)).toBe(403);
    const { challenge } = await logIn(world.bot.appPassword);
    expect(challenge.component).toBe("ak-stage-access-denied");
    await ask(authentik, "PATCH", `core/users/${world.bot.pk}/`, { is_active: true });
  });
});

describe("the API", () => {
  const get = (path: string, token: string) =>
    fetch(`${authentik.url}/api/v3/${path}`, { headers: { authorization: `Bearer ${token}` } });

  test("is for superusers; anybody else's token shows its owner and no more", async () => {
    expect((await get("core/users/me/", world.bot.apiToken)).status).toBe(200);
    expect((await get("core/tokens/", world.bot.apiToken)).status).toBe(403);
  });

  test("does not take an app password for a token", async () => {
    expect((await get("core/users/me/", world.bot.appPassword)).status).toBe(403);
  });

  test("refuses a policy it could not evaluate", async () => {
    const body = { name: "p", expression: "return request.user.is_superuser" };
    await expect(ask(authentik, "POST", "policies/expression/", body)).rejects.toThrow(/400.*return True/);
  });

  test("says what is wrong with a body that is not JSON", async () => {
    const headers = { authorization: `Bearer ${authentik.token}`, "content-type": "application/json" };
    const response = await fetch(`${authentik.url}/api/v3/core/groups/`, { method: "POST", headers, body: "{" });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("JSON parse error");
  });

  test("pages its lists", async () => {
    const answer = await ask<{ pagination: object; results: object[] }>(
      authentik,
      "GET",
      "core/users/?page_size=2&page=2",
    );
    expect(answer.pagination).toMatchObject({
      previous: 1,
      current: 2,
      count: 4,
      total_pages: 2,
      start_index: 3,
      end_index: 4,
    });
    expect(answer.results).toHaveLength(2);
  });
});

test("the issuer is where the client found it, behind a TLS proxy too", async () => {
  const url = `${authentik.url}/application/o/${world.slug}/.well-known/openid-configuration`;
  const response = await fetch(url, { headers: { "x-forwarded-proto": "https" } });
  const { issuer } = (await response.json()) as { issuer: string };
  expect(issuer).toBe(`${authentik.url.replace("http:", "https:")}/application/o/${world.slug}/`);
});

test("a state file keeps everything across a restart, readable by its owner alone", async () => {
  const directory = mkdtempSync(join(tmpdir(), "harden-zot-authentik-"));
  const stateFile = join(directory, "state.json");
  const first = await startAuthentik({ token: "first", stateFile });
  const kept = await createWorld(first, REDIRECT);
  const jwks = `/application/o/${kept.slug}/jwks/`;
  const keys = await (await fetch(first.url + jwks)).json();
  await first.stop();
  const second = await startAuthentik({ token: "second", stateFile });
  expect(await (await fetch(second.url + jwks)).json()).toEqual(keys);
  const { results } = await ask<{ results: { users: number[] }[] }>(second, "GET", `core/groups/?name=${kept.users}`);
  expect(results[0]?.users).toEqual([kept.alice.pk, kept.bot.pk]);
  await expect(ask({ url: second.url, token: "first" }, "GET", "core/groups/")).rejects.toThrow("Token invalid");
  await second.stop();
  expect(statSync(stateFile).mode & 0o777).toBe(0o600);
  rmSync(directory, { recursive: true });
});
