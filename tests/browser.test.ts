import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContext, type Cookie, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { ask, type Person } from "../sandbox/people";
import { ensureDebianPackage } from "../sandbox/tools";
import { renderConfig } from "../src/config/render";
import { parseSettings, type RawSettings } from "../src/settings/settings";
import { issuerOf, type LoginWorld, type Place, startLoginWorld, writeCredentials } from "./login-world";

/**
 * People and their browser: Chromium at a registry with the access rules of Pulumi.prod.yaml, which sends it to Authentik. The
 * tests are one story, in order; each needs the one before it.
 */
let here: LoginWorld;
let browser: Browser;
/** The admin's browser. */
let context: BrowserContext;
let page: Page;
let outsider: Person & { pk: number };
/** The running registry's session keys; a test changes them. */
let sessionKeys = newKeys();
/** Why no login page can be shown, if so. */
let noPages: string | undefined;
/** How long a page may take to show what is waited for, in ms. */
const PATIENCE = 15_000;

beforeAll(async () => {
  here = await startLoginWorld(undefined, production);
  noPages = await missingPages();
  if (noPages) console.warn(`skipped: ${noPages}`);
  outsider = await createOutsider();
  browser = await chromium.launch({
    executablePath: ensureDebianPackage("chromium", "chromium"),
    // Chromium's own sandbox does not start as root, which is what CI and containers are.
    chromiumSandbox: process.getuid?.() !== 0,
  });
  context = await newContext();
  page = await context.newPage();
});

beforeEach(({ skip }) => skip(noPages !== undefined, noPages));

afterAll(async () => {
  await browser?.close();
  if (outsider) await ask(here.authentik, "DELETE", `core/users/${outsider.pk}/`);
  await here?.stop();
});

/** A real Authentik that was run from its sources without `web/` having been built serves pages whose scripts are not there. */
async function missingPages(): Promise<string | undefined> {
  const { url } = here.authentik;
  const html = await (await fetch(`${url}/if/flow/default-authentication-flow/`)).text();
  const script = /<script src="([^"]+)"/.exec(html)?.[1];
  const found = script === undefined || (await fetch(new URL(script, url))).ok;
  return found ? undefined : `${url} has no web UI: ${script} is not there`;
}

/** A browser of its own. */
async function newContext(): Promise<BrowserContext> {
  const context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE);
  return context;
}

function newKeys() {
  return { hashKey: randomBytes(32).toString("hex"), encryptKey: randomBytes(16).toString("hex") };
}

/** The production stack's configuration as it is delivered, on loopback; its admins are the world's group. */
function production(place: Place) {
  const { config } = parse(readFileSync(resolve("Pulumi.prod.yaml"), "utf8"));
  const { "harden-zot:registry": registry, "harden-zot:access": access } = config;
  const settings = parseSettings({
    ...config,
    "harden-zot:registry": {
      ...registry,
      externalUrl: place.externalUrl,
      listen: { address: "127.0.0.1", port: place.port },
      storage: { ...registry.storage, rootDirectory: join(place.directory, "data") },
      // Without the download of a database of weaknesses.
      search: {},
    },
    "harden-zot:identity": { existingGroups: [place.world.users] },
    "harden-zot:access": { ...access, admins: { group: place.world.users } },
  } as RawSettings);
  const sessionKeysFile = join(place.directory, "session-keys.json");
  writeFileSync(sessionKeysFile, JSON.stringify(sessionKeys), { mode: 0o600 });
  return renderConfig(settings, { issuer: issuerOf(place), credentialsFile: writeCredentials(place), sessionKeysFile });
}

/** Somebody with an account and a password, in no group that the application is bound to. */
async function createOutsider(): Promise<Person & { pk: number }> {
  const username = `olaf-${here.world.slug}`;
  const password = randomBytes(12).toString("hex");
  const body = { username, name: "Olaf Outsider", path: "users", type: "internal" };
  const { pk } = await ask<{ pk: number }>(here.authentik, "POST", "core/users/", body);
  await ask(here.authentik, "POST", `core/users/${pk}/set_password/`, { password });
  return { username, password, pk };
}

/** By the button of the registry's page, or where it has none (a zot built without its UI) by where that leads. */
async function signIn(page: Page): Promise<void> {
  await page.goto(`${here.registryUrl}/login`);
  const button = page.getByRole("link", { name: /sign in|continue with/i });
  if (await button.count()) await button.click();
  else await page.goto(`${here.registryUrl}/zot/auth/login?provider=oidc&callback_ui=/home`);
}

/** Fills the two pages of Authentik's login. */
async function logIn(page: Page, { username, password }: Person): Promise<void> {
  await page.getByLabel("Email or Username").fill(username);
  await page.getByRole("button", { name: "Log in" }).click();
  await enterPassword(page, password);
}

async function enterPassword(page: Page, password: string): Promise<void> {
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Continue" }).click();
}

const atLogin = (page: Page) => page.waitForURL(`${here.authentik.url}/if/flow/default-authentication-flow/**`);
const atHome = (page: Page) => page.waitForURL(`${here.registryUrl}/home`);

/** Status of the start of a push, as zot's UI would ask on the registry's page that is open. */
function push(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const headers = { "X-ZOT-API-CLIENT": "zot-ui" };
    return (await fetch("/v2/team/app/blobs/uploads/", { method: "POST", headers })).status;
  });
}

/** The same push by a program that holds the registry's session cookie. */
async function pushWith(session: string, headers: Record<string, string> = {}): Promise<number> {
  const url = `${here.registryUrl}/v2/team/app/blobs/uploads/`;
  return (await fetch(url, { method: "POST", headers: { cookie: `session=${session}`, ...headers } })).status;
}
const UI = { "X-ZOT-API-CLIENT": "zot-ui" };

async function sessionOf(context: BrowserContext): Promise<string | undefined> {
  return (await cookies(context)).session?.value;
}

async function cookies(context: BrowserContext): Promise<Record<string, Cookie>> {
  return Object.fromEntries((await context.cookies(here.registryUrl)).map((cookie) => [cookie.name, cookie]));
}

/** By the registry's page, or where it has none by what that does. */
async function logOut(page: Page): Promise<void> {
  const button = page.getByRole("button", { name: "Log out" });
  if (await button.count()) return await button.click();
  const answer = await page.evaluate(async () => {
    const headers = { "X-ZOT-API-CLIENT": "zot-ui" };
    return (await fetch("/zot/auth/logout", { method: "POST", headers })).text();
  });
  await page.goto(JSON.parse(answer).endSessionUrl);
}

test("an admin opens the registry, is sent to Authentik, logs in and comes back as an admin", async () => {
  await page.goto(here.registryUrl);
  expect(await push(page)).toBe(401);
  await signIn(page);
  await atLogin(page);
  await logIn(page, { ...here.world.alice, password: "wrong" });
  await page.getByText("Invalid password").waitFor();
  await enterPassword(page, here.world.alice.password);
  await atHome(page);
  const { user, session, state } = await cookies(context);
  expect(user?.value).toBe(here.world.alice.username);
  expect(session).toMatchObject({ httpOnly: true, path: "/" });
  expect(state).toBeUndefined();
  expect(await page.evaluate("document.cookie")).not.toMatch(/(^|; )session=/);
  expect(await push(page)).toBe(202);
});

test("the session cookie alone, without the header that another site's page cannot send, does nothing", async () => {
  const session = (await sessionOf(context)) as string;
  expect(await pushWith(session, UI)).toBe(202);
  expect(await pushWith(session)).toBe(401);
});

test("the session survives a restart of the registry", async () => {
  await here.restart();
  await page.reload();
  expect(await push(page)).toBe(202);
});

test("which is the doing of sessionKeysFile: with other keys the session is over", async () => {
  sessionKeys = newKeys();
  await here.restart();
  await page.reload();
  expect(await push(page)).toBe(401);
});

test("Authentik still knows the admin, and asks for no password", async () => {
  await signIn(page);
  await atHome(page);
  expect(await push(page)).toBe(202);
});

test("a logout ends the session, also for a copy of its cookie, and leads to Authentik's page", async () => {
  const copy = (await sessionOf(context)) as string;
  await logOut(page);
  await page.waitForURL(`${here.authentik.url}/if/flow/default-provider-invalidation-flow/**`);
  await page.getByText("You've logged out of Zot registry. You can go back").waitFor();
  expect(await sessionOf(context)).toBeUndefined();
  expect(await pushWith(copy, UI)).toBe(401);
  await page.goto(here.registryUrl);
  expect(await push(page)).toBe(401);
});

test("once logged out of Authentik too, the next login asks for a password again", async () => {
  await page.goBack();
  await page.getByRole("link", { name: "Log out of authentik" }).click();
  await atLogin(page);
  await signIn(page);
  await atLogin(page);
  await page.getByLabel("Email or Username").waitFor();
});

test("a user outside the bound groups is refused by Authentik, with its page, and gets no session", async () => {
  const theirs = await newContext();
  const page = await theirs.newPage();
  await signIn(page);
  await atLogin(page);
  await logIn(page, outsider);
  await page.getByText("Request has been denied.").waitFor();
  expect(new URL(page.url()).origin).toBe(here.authentik.url);
  await page.goto(here.registryUrl);
  expect(await push(page)).toBe(401);
  expect(await cookies(theirs)).not.toHaveProperty("session");
  await theirs.close();
});
