import { CookieJar } from "tough-cookie";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask } from "../../sandbox/people";
import { authentikUnderTest, createWorld, type World } from "./authentik-world";

/**
 * What was measured on Authentik 2026.2.2 and kept as a fact, not as a recording (docs/facts.md). Against the stand-in, and
 * with AUTHENTIK_URL and AUTHENTIK_TOKEN against that server.
 */
const REDIRECT = "http://127.0.0.1:5999/zot/auth/callback/oidc";
let access: Awaited<ReturnType<typeof authentikUnderTest>>;
let world: World;

beforeAll(async () => {
  access = await authentikUnderTest();
  world = await createWorld(access, REDIRECT);
});

afterAll(async () => {
  await world?.destroy();
  await access?.stop();
});

class Browser {
  readonly jar = new CookieJar();

  async send(path: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(path, access.url).href;
    const cookie = await this.jar.getCookieString(url);
    const response = await fetch(url, {
      redirect: "manual",
      ...init,
      headers: { cookie, ...(init.headers as object) },
    });
    for (const line of response.headers.getSetCookie()) await this.jar.setCookie(line, url);
    return response;
  }

  /** One stage: the answer, and the challenge that follows it. */
  private async step(flow: string, answer?: object) {
    const headers = { "content-type": "application/json" };
    const post = answer && { method: "POST", headers, body: JSON.stringify(answer) };
    let response = await this.send(`/api/v3/flows/executor/${flow}/?query=`, post);
    while (response.status === 302) response = await this.send(response.headers.get("location") as string);
    return (await response.json()) as { component: string; response_errors?: { password: { string: string }[] } };
  }

  /** @returns what the password stage said: a component, or its error */
  async logIn(flow: string, uid_field: string, password: string): Promise<string> {
    await this.step(flow);
    await this.step(flow, { component: "ak-stage-identification", uid_field });
    const end = await this.step(flow, { component: "ak-stage-password", password });
    return end.response_errors?.password[0]?.string ?? end.component;
  }

  me = async () => (await this.send("/api/v3/core/users/me/")).status;

  authorize = (changes: Record<string, string> = {}) => {
    const query = { client_id: world.clientId, response_type: "code", scope: "openid profile email", state: "s" };
    return this.send(
      `/application/o/authorize/?${new URLSearchParams({ ...query, redirect_uri: REDIRECT, ...changes })}`,
    );
  };
}

describe("a login flow of the token backend alone, its login stage bound to a group", () => {
  test("lets a member in by its app password", async () => {
    const browser = new Browser();
    expect(await browser.logIn(world.ciFlow, world.bot.username, world.bot.appPassword)).toBe("xak-flow-redirect");
    expect(await browser.me()).toBe(200);
  });

  test("takes an outsider's app password and does not log it in", async () => {
    const browser = new Browser();
    const said = await browser.logIn(world.ciFlow, world.outsider.username, world.outsider.appPassword);
    expect(said).toBe("xak-flow-redirect");
    expect(await browser.me()).toBe(403);
  });

  test.each([
    ["a wrong password", () => "wrong"],
    ["a real password of the same account", () => world.bot.loginPassword],
    ["an API token", () => world.bot.apiToken],
    ["somebody else's app password", () => world.outsider.appPassword],
  ])("refuses %s", async (_what, password) => {
    const browser = new Browser();
    expect(await browser.logIn(world.ciFlow, world.bot.username, password())).toBe("Invalid password");
    expect(await browser.me()).toBe(403);
  });

  test("denies a deactivated account only after its app password was taken", async () => {
    const { pk, username, appPassword, loginPassword } = world.bot;
    await ask(access, "PATCH", `core/users/${pk}/`, { is_active: false });
    const said = {
      app: await new Browser().logIn(world.ciFlow, username, appPassword),
      wrong: await new Browser().logIn(world.ciFlow, username, "wrong"),
      default: await new Browser().logIn("default-authentication-flow", username, appPassword),
      password: await new Browser().logIn("default-authentication-flow", username, loginPassword),
    };
    await ask(access, "PATCH", `core/users/${pk}/`, { is_active: true });
    const denied = "ak-stage-access-denied";
    expect(said).toEqual({ app: denied, wrong: "Invalid password", default: denied, password: "Invalid password" });
  });

  test("bound to the flow itself the group refuses everybody", async () => {
    const { pk } = await ask<{ pk: string }>(access, "GET", `flows/instances/${world.ciFlow}/`);
    const body = { target: pk, group: world.usersPk, order: 0 };
    const binding = await ask<{ pk: string }>(access, "POST", "policies/bindings/", body);
    const response = await new Browser().send(`/api/v3/flows/executor/${world.ciFlow}/?query=`);
    expect(((await response.json()) as { component: string }).component).toBe("ak-stage-access-denied");
    await ask(access, "DELETE", `policies/bindings/${binding.pk}/`);
  });
});

describe("authorize", () => {
  test.each([
    ["a slash more", { redirect_uri: `${REDIRECT}/` }],
    ["localhost for 127.0.0.1", { redirect_uri: REDIRECT.replace("127.0.0.1", "localhost") }],
  ])("%s is another redirect URI", async (_what, changes) => {
    const response = await new Browser().authorize(changes);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("Redirect URI Error");
  });

  test("prompt=none without a session", async () => {
    const response = await new Browser().authorize({ prompt: "none" });
    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toMatch(/^http:\/\/127\.0\.0\.1:5999.*error=login_required/);
  });

  test("passes a member of a child group, with the child alone in the claims", async () => {
    const suffix = world.clientId.replace("zot-", "");
    const child = await ask<{ pk: string; name: string }>(access, "POST", "core/groups/", {
      name: `zot-child-${suffix}`,
      parents: [world.usersPk],
    });
    const path = `core/users/${world.outsider.pk}/`;
    await ask(access, "PATCH", path, { groups: [child.pk] });
    const claims = await machineClaims();
    await ask(access, "PATCH", path, { groups: [] });
    await ask(access, "DELETE", `core/groups/${child.pk}/`);
    expect(claims?.groups).toEqual([child.name]);
  });

  test("with no binding at all everybody passes", async () => {
    expect(await machineClaims()).toBeUndefined();
    const path = `policies/bindings/${world.bindingPk}/`;
    const { target } = await ask<{ target: string }>(access, "GET", path);
    const whole = { target, group: world.usersPk };
    await ask(access, "PATCH", path, { ...whole, enabled: false });
    const claims = await machineClaims();
    await ask(access, "PATCH", path, { ...whole, enabled: true });
    expect(claims?.preferred_username).toBe(world.outsider.username);
  });

  test("a binding is changed only by a body that names its target and its group", async () => {
    const path = `policies/bindings/${world.bindingPk}/`;
    const { target } = await ask<{ target: string }>(access, "GET", path);
    await expect(ask(access, "PATCH", path, { enabled: false })).rejects.toThrow("405");
    await expect(ask(access, "PATCH", path, { target, enabled: false })).rejects.toThrow(/400.*must be set/);
  });

  async function machineClaims(): Promise<Record<string, unknown> | undefined> {
    const response = await fetch(`${access.url}/application/o/token/`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: world.clientId,
        username: world.outsider.username,
        password: world.outsider.appPassword,
        scope: "openid profile",
      }),
    });
    const { id_token } = (await response.json()) as { id_token?: string };
    return id_token ? JSON.parse(Buffer.from(id_token.split(".")[1] ?? "", "base64url").toString()) : undefined;
  }
});

test("without a signing key the key set is empty", async () => {
  const path = `providers/oauth2/${world.providerPk}/`;
  const { signing_key } = await ask<{ signing_key: string }>(access, "GET", path);
  await ask(access, "PATCH", path, { signing_key: null });
  const keys = await (await fetch(`${access.url}/application/o/${world.slug}/jwks/`)).json();
  await ask(access, "PATCH", path, { signing_key });
  expect(keys).toEqual({});
});
