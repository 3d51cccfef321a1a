import { randomBytes } from "node:crypto";
import { CookieJar } from "tough-cookie";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask } from "../../sandbox/people";
import { Replay, readLines, readVector } from "./authentik-replay";
import { authentikUnderTest } from "./authentik-world";

/**
 * Against the stand-in, and with AUTHENTIK_URL and AUTHENTIK_TOKEN against that server: under names with a random
 * suffix, all of it taken away at the end.
 */
const suffix = `-${randomBytes(3).toString("hex")}`;
let access: Awaited<ReturnType<typeof authentikUnderTest>>;

interface Exchange {
  name?: string;
  phase?: string;
  method: string;
  path: string;
  auth?: "none" | "wrong";
  aside?: boolean;
  request?: unknown;
  status?: number;
  response?: unknown;
}

interface Step extends Exchange {
  client?: "right" | "wrong";
  bearer?: boolean;
  csrf?: boolean;
  location?: string;
  cookies: string[];
  contains?: string;
}

beforeAll(async () => {
  access = await authentikUnderTest();
});

/** Paths of everything the replays created, for the end. */
const created: string[] = [];

afterAll(async () => {
  // Authentik makes an account of its own when a client logs in with nothing but its id and secret.
  const ofClient = `core/users/?username=ak-zot${suffix}-client_credentials`;
  const { results } = await ask<{ results: { pk: number }[] }>(access, "GET", ofClient);
  for (const { pk } of results) created.push(`/core/users/${pk}/`);
  for (const path of created.reverse()) await ask(access, "DELETE", path.slice(1)).catch(() => undefined);
  await access.stop();
});

const newReplay = () => new Replay(access.url, suffix, !access.real);

async function exchange(replay: Replay, { method, path, auth, request }: Exchange) {
  const token = auth === "wrong" ? "no-such-token" : access.token;
  const response = await fetch(`${access.url}/api/v3${replay.path(path)}`, {
    method,
    headers: {
      ...(auth === "none" ? {} : { authorization: `Bearer ${token}` }),
      ...(request === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(request === undefined ? {} : { body: JSON.stringify(replay.body(request)) }),
  });
  const text = await response.text();
  const body = text === "" ? null : JSON.parse(text);
  if (method === "POST" && response.ok) remember(path, body);
  return { status: response.status, body };
}

/** The URL key of what a POST made. */
function remember(path: string, body: Record<string, unknown> | null): void {
  if (path === "/core/users/service_account/") {
    created.push(`/core/users/${body?.user_pk}/`);
    if (body?.group_pk) created.push(`/core/groups/${body.group_pk}/`);
  } else if (/^\/\w+\/\w+\/$/.test(path)) {
    const key = path === "/core/tokens/" ? body?.identifier : path === "/core/applications/" ? body?.slug : body?.pk;
    created.push(`${path}${key}/`);
  }
}

function compare(replay: Replay, recorded: Exchange, here: { status: number; body: unknown }): void {
  const differences = replay.differences(recorded.response, here.body);
  expect({ status: here.status, differences }).toEqual({ status: recorded.status, differences: [] });
}

describe("REST exchanges", () => {
  let replay: Replay;
  beforeAll(() => {
    replay = newReplay();
  });
  test.each(readLines<Exchange>("exchanges.jsonl"))("$name", async (recorded) => {
    compare(replay, recorded, await exchange(replay, recorded));
  });
});

describe("the Terraform provider", () => {
  let replay: Replay;
  beforeAll(() => {
    replay = newReplay();
  });
  test.each(readLines<Exchange>("provider-trace.jsonl"))("$phase: $method $path", async (recorded) => {
    const here = await exchange(replay, recorded);
    if (recorded.aside) expect(here.status).toBeLessThan(300);
    else compare(replay, recorded, here);
  });
});

const CLIENT_SECRET = "zot-client-secret-demo";
const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;

/** One browser going through a recorded login. */
class Browser {
  private readonly jar = new CookieJar();
  private accessToken = "";
  private code = "";

  constructor(private readonly replay: Replay) {}

  async play(step: Step): Promise<void> {
    const url = `${access.url}${this.replay.path(step.path)}`;
    const request = await this.fill(step.request);
    const response = await fetch(url, {
      method: step.method,
      headers: await this.headers(step, url),
      ...encode(step, request),
      redirect: "manual",
    });
    const set = response.headers.getSetCookie();
    for (const line of set) await this.jar.setCookie(line, url);
    const text = await response.text();
    this.note(response, text);
    expect(response.status).toBe(step.status);
    const location = step.location === undefined ? undefined : this.replay.text(step.location);
    expect(stable(response.headers.get("location") ?? undefined)).toBe(stable(location));
    expect([...new Set(set.map((line) => line.split("=")[0]))].sort()).toEqual(step.cookies);
    if (step.contains) expect(text).toContain(step.contains);
    if (step.response)
      expect(this.replay.differences(comparable(step.response), comparable(JSON.parse(text)))).toEqual([]);
  }

  private async headers(step: Step, url: string): Promise<Record<string, string>> {
    const cookie = await this.jar.getCookieString(url);
    const csrf = (await this.jar.getCookies(url)).find(({ key }) => key === "authentik_csrf")?.value ?? "";
    const client = basic(`zot${suffix}`, step.client === "wrong" ? "wrong" : CLIENT_SECRET);
    return {
      accept: "application/json",
      ...(cookie ? { cookie } : {}),
      ...(step.client ? { authorization: client } : {}),
      ...(step.bearer ? { authorization: `Bearer ${this.accessToken}` } : {}),
      ...(step.request && !step.path.startsWith("/application/") ? { "content-type": "application/json" } : {}),
      ...(step.csrf ? { "x-authentik-csrf": csrf } : {}),
    };
  }

  /** What the recording could not know: keys, the code, the consent token. */
  private async fill(request: unknown): Promise<Record<string, string> | undefined> {
    if (request === undefined) return undefined;
    const body = this.replay.body(request) as Record<string, string>;
    const token = /^\{key:(.*)\}$/.exec(body.password ?? "")?.[1];
    if (token) body.password = (await ask<{ key: string }>(access, "GET", `core/tokens/${token}/view_key/`)).key;
    if (body.code) body.code = this.code;
    return body;
  }

  private note(response: Response, text: string): void {
    const to = response.headers.get("location") ?? /"to": ?"([^"]*)"/.exec(text)?.[1] ?? "";
    this.code = /[?&]code=(\w{32})/.exec(to)?.[1] ?? this.code;
    this.accessToken = /"access_token": ?"([^"]*)"/.exec(text)?.[1] ?? this.accessToken;
  }
}

/** The code in a redirect is another every time. */
const stable = (location: string | undefined) => location?.replace(/([?&]code=)\w{32}/, "$1CODE");

function comparable(body: unknown): unknown {
  const { to } = body as { to?: string };
  return typeof to === "string" ? { ...(body as object), to: stable(to) } : body;
}

function encode({ path }: Step, request: Record<string, string> | undefined): { body?: string | URLSearchParams } {
  if (!request) return {};
  return { body: path.startsWith("/application/") ? new URLSearchParams(request) : JSON.stringify(request) };
}

describe("logins", () => {
  const EXPLICIT = "default-provider-authorization-explicit-consent";
  test.each(readLines<{ name: string; steps: Step[] }>("logins.jsonl"))("$name", async ({ name, steps }) => {
    const restore = name.startsWith("explicit-consent") ? await setAuthorizationFlow(EXPLICIT) : undefined;
    const browser = new Browser(newReplay());
    for (const step of steps) await browser.play(step);
    await restore?.();
  });
});

/** @returns what puts the old one back */
async function setAuthorizationFlow(slug: string): Promise<() => Promise<unknown>> {
  const pks = async (path: string) =>
    (await ask<{ results: { pk: string; authorization_flow: string }[] }>(access, "GET", path)).results[0];
  const provider = await pks(`providers/oauth2/?client_id=zot${suffix}`);
  const flow = await pks(`flows/instances/?slug=${slug}`);
  const path = `providers/oauth2/${provider?.pk}/`;
  await ask(access, "PATCH", path, { authorization_flow: flow?.pk });
  return () => ask(access, "PATCH", path, { authorization_flow: provider?.authorization_flow });
}

describe("machine grants", () => {
  interface Grant {
    name: string;
    request: Record<string, string>;
    client?: "right";
    status: number;
    response: unknown;
  }
  test.each(readLines<Grant>("machine-grants.jsonl"))("$name", async ({ request, client, status, response }) => {
    const replay = newReplay();
    const answered = await fetch(`${access.url}/application/o/token/`, {
      method: "POST",
      headers: client ? { authorization: basic(`zot${suffix}`, CLIENT_SECRET) } : {},
      body: new URLSearchParams(replay.body(request) as Record<string, string>),
    });
    const differences = replay.differences(response, await answered.json());
    expect({ status: answered.status, differences }).toEqual({ status, differences: [] });
  });
});

test("discovery document", async () => {
  const url = `${access.url}/application/o/zot${suffix}/.well-known/openid-configuration`;
  const recorded = JSON.parse(readVector("discovery.json"));
  expect(newReplay().differences(recorded, await (await fetch(url)).json())).toEqual([]);
  const unknown = `${access.url}/application/o/no-such-app/.well-known/openid-configuration`;
  expect((await fetch(unknown)).status).toBe(404);
});
