import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Forge, startForge } from "../../sandbox/forge";
import { ask } from "../../sandbox/people";
import { type Sandbox, startSandbox } from "../../sandbox/sandbox";
import { ApiKeys, withKey } from "../../src/credentials/api-keys";
import { basic } from "../../src/http/http";
import { beforeTenures } from "./before-tenures";
import { withCommandsOf } from "./older-commands";

const CI = "zot-sandbox-ci";
const APP = "zot-sandbox-app";

/**
 * What operators do with a stack, and its keys: each test starts where the one before it ended, with a key in the outputs
 * that works, and ends so, without changes left.
 */
describe("the keys of CI, whatever is done with the stack", () => {
  let sandbox: Sandbox;
  let forge: Forge;
  /** Made by a person; nobody here may touch it. */
  let stranger: string;
  const issued = new Set<string>();

  beforeAll(async () => {
    [sandbox, forge] = await Promise.all([startSandbox(() => {}), startForge(["repos/team/app", "orgs/team"])]);
    await configure();
    await succeed("up");
    const made = await (await keysOf(await keyOf())).mint("made by hand", new Date(Date.now() + 3_600_000));
    stranger = made.apiKey;
  });
  afterAll(async () => {
    forge?.close();
    await sandbox?.stop();
  });

  const settings = { key: {} as object, appPassword: undefined as object | undefined, identities: [CI] };

  async function configure(change: Partial<typeof settings> = {}): Promise<void> {
    const { appPassword, identities, key } = Object.assign(settings, change);
    const { address, hostKey, port, privateKeyFile, user } = sandbox.host.ssh;
    const file = { address, hostKey, port, privateKeyFile, user, path: keyFile(), content: "apiKey" };
    const forgejo = { url: forge.url, repository: "team/app", token: "forgeToken" };
    const github = { url: forge.url, organization: "team", token: "forgeToken" };
    sandbox.stack.configure({
      ...sandbox.settings(),
      "harden-zot:ci": identities.map((name) => ({
        name,
        group: `${name}s`,
        repositories: [`${name}/**`],
        ...(name === CI ? { key, appPassword, publish: [{ file }, { forgejo }, { github }] } : {}),
      })),
    });
    await sandbox.stack.setSecret("harden-zot:forgeToken", forge.token);
  }

  const keyFile = () => join(sandbox.directory, "delivered-key");
  const published = () => [
    readFileSync(keyFile(), "utf8").trim(),
    forge.secrets.get("repos/team/app")?.get("ZOT_API_KEY"),
    forge.secrets.get("orgs/team")?.get("ZOT_API_KEY"),
  ];

  async function succeed(verb: "preview" | "up" | "destroy", ...flags: string[]): Promise<string> {
    const { code, output } = await sandbox.stack[verb](...flags);
    expect(code, output).toBe(0);
    return output;
  }

  async function replace(name: string): Promise<void> {
    expect(await succeed("up", "--replace", `**::${name}`)).toMatch(/[12] replaced/);
  }

  async function keyOf(name = CI): Promise<string> {
    const { ciSecrets } = await sandbox.stack.outputs("--show-secrets");
    const { apiKey } = (ciSecrets as Record<string, { apiKey: string }>)[name] ?? { apiKey: "" };
    issued.add(apiKey);
    return apiKey;
  }

  let rotations = 0;
  async function rotate(change: object = {}): Promise<string> {
    rotations += 1;
    await configure({ key: { rotate: `rotation ${rotations}`, ...change } });
    await succeed("up");
    return keyOf();
  }

  async function activate(is_active: boolean): Promise<void> {
    const found = await ask<{ results: { pk: number }[] }>(sandbox.authentik, "GET", `core/users/?username=${CI}`);
    await ask(sandbox.authentik, "PATCH", `core/users/${found.results[0]?.pk}/`, { is_active });
  }

  /** As docs/rotation.md says. */
  async function declareLeaked(leaked: string): Promise<void> {
    const now = await rotate({ keepPrevious: false });
    expect(await statuses(leaked, now)).toEqual([401, 200]);
    await configure({ key: { rotate: `rotation ${rotations}` } });
    await succeed("up");
  }

  const status = async (apiKey: string, name = CI) =>
    (await fetch(`${sandbox.registryUrl}/v2/`, { headers: { authorization: basic(name, apiKey) } })).status;
  const statuses = (...keys: string[]) => Promise.all(keys.map((key) => status(key)));
  const keysOf = (apiKey: string) => new ApiKeys(sandbox.registryUrl, CI, withKey(fetch as never, CI, apiKey));

  async function expectSettled(): Promise<void> {
    const key = await keyOf();
    expect(await statuses(key, stranger)).toEqual([200, 200]);
    await succeed("up", "--expect-no-changes");
    expect(await keyOf()).toBe(key);
  }

  /** @returns what puts the stack, and its settings, back to where they are now */
  async function backUp(): Promise<() => Promise<void>> {
    const file = join(sandbox.directory, "backup.json");
    writeFileSync(file, await sandbox.stack.state());
    const then = { ...settings };
    return async () => {
      await importFrom(file);
      await configure(then);
    };
  }

  async function importFrom(file: string): Promise<void> {
    const { code, output } = await sandbox.stack.pulumi(["stack", "import", "--file", file]);
    expect(code, output).toBe(0);
  }

  it("up --replace of the key makes another one, and running jobs keep theirs", async () => {
    const before = await keyOf();
    await replace(`${CI}-key`);
    const now = await keyOf();
    expect(now).not.toBe(before);
    expect(await statuses(before, now)).toEqual([200, 200]);
    expect(published()).toEqual([now, now, now]);
    await expectSettled();
  });

  it("up --replace of the tenure makes another key, and ends those that belonged to the one before", async () => {
    const before = await keyOf();
    await replace(`${CI}-tenure`);
    const now = await keyOf();
    expect(await statuses(before, now)).toEqual([401, 200]);
    expect(published()).toEqual([now, now, now]);
    await expectSettled();
  });

  it("up --replace of the retired keys keeps the key and the one before it", async () => {
    const first = await keyOf();
    const second = await rotate();
    const third = await rotate();
    await replace(`${CI}-retired-keys`);
    expect(await keyOf()).toBe(third);
    expect(await statuses(first, second, third)).toEqual([401, 200, 200]);
    await expectSettled();
  });

  it("up --replace of the app password makes another one and another key, and running jobs keep theirs", async () => {
    const before = await keyOf();
    await replace(`${CI}-app-password`);
    const now = await keyOf();
    expect(now).not.toBe(before);
    expect(await statuses(before, now)).toEqual([200, 200]);
    await expectSettled();
  });

  it("another text in appPassword.rotate makes another app password, and running jobs keep their key", async () => {
    const before = await keyOf();
    await configure({ appPassword: { rotate: "2026-11-27" } });
    expect(await succeed("preview")).toMatch(/Token zot-sandbox-ci-app-password replace/);
    await succeed("up");
    expect(await statuses(before, await keyOf())).toEqual([200, 200]);
    await expectSettled();
  });

  it("up --replace of the account makes it again, with its keys", async () => {
    const before = await keyOf();
    await replace(`${CI}-user`);
    expect(await statuses(before, await keyOf())).toEqual([200, 200]);
    await expectSettled();
  });

  it("up --replace of a publisher ends with the key published", async () => {
    for (const place of ["/delivered-key", "/team/app", "/team"]) {
      await replace(`${CI}-publish-**${place}`);
      const key = await keyOf();
      expect(published(), place).toEqual([key, key, key]);
    }
    await expectSettled();
  });

  it("a key that leaked is gone also where the stack was renamed meanwhile", async () => {
    const leaked = await keyOf();
    await sandbox.stack.rename("renamed");
    await declareLeaked(leaked);
    await expectSettled();
  });

  it("an older state whose key is gone is said in one sentence and gets another key; jobs keep the newest", async () => {
    const goBack = await backUp();
    const first = await keyOf();
    const second = await rotate();
    const third = await rotate();
    await goBack();
    expect(await statuses(first, second, third)).toEqual([401, 200, 200]);
    expect(await succeed("preview")).toMatch(/its API key is refused by the registry: .*the state is an older copy/);
    await succeed("up");
    const now = await keyOf();
    expect(await statuses(second, third, now)).toEqual([401, 200, 200]);
    expect(published()).toEqual([now, now, now]);
    await expectSettled();
  });

  it("an older state whose key still works keeps it, and says that there is a newer one", async () => {
    const goBack = await backUp();
    const first = await keyOf();
    const second = await rotate();
    await goBack();
    const preview = await succeed("preview");
    const said = preview.split("Diagnostics:")[1]?.match(/has an API key of this stack that is newer than its state/g);
    expect(said).toHaveLength(1);
    await succeed("up");
    expect(await statuses(await keyOf(), first, second)).toEqual([200, 200, 200]);
    await expectSettled();
  });

  it("a state with the commands of 27 November 2026 keeps its keys", async () => {
    const before = await keyOf();
    await importFrom(await withCommandsOf("2026-11-27", sandbox));
    await succeed("up");
    expect([await keyOf(), ...published()]).toEqual([before, before, before, before]);
    await expectSettled();
  });

  it("such a state says farewell to an identity before any up", async () => {
    await configure({ identities: [CI, APP] });
    await succeed("up");
    const before = await keyOf();
    await importFrom(await withCommandsOf("2026-11-27", sandbox));
    await configure({ identities: [APP] });
    await succeed("up");
    expect(await status(before)).toBe(401);
    expect(existsSync(keyFile())).toBe(false);
    expect([...forge.secrets.values()].map(({ size }) => size)).toEqual([0, 0]);
    await configure({ identities: [CI] });
    await succeed("up");
    await expectSettled();
  });

  it("a state from before there were tenures goes on with its key, and removing an identity from it waits", async () => {
    await configure({ identities: [CI, APP] });
    await succeed("up");
    const { keys, file } = await beforeTenures(sandbox, "renamed", [CI, APP]);
    for (const key of keys) issued.add(key);
    await importFrom(file);
    await configure({ identities: [CI] });
    const refused = await sandbox.stack.preview();
    expect(refused.output).toMatch(/zot-sandbox-app.*run `pulumi up` once with it.*Nothing was changed/);
    expect(refused.code).not.toBe(0);
    await configure({ identities: [CI, APP] });
    expect(await succeed("preview")).not.toMatch(/zot-sandbox-(ci|app)-key (update|replace)/);
    await succeed("up");
    expect([await keyOf(), await keyOf(APP)]).toEqual(keys);
    await expectSettled();
  });

  it("such a key that leaked is gone also where the stack was renamed", async () => {
    const leaked = await keyOf();
    await sandbox.stack.rename("sandbox");
    await succeed("up", "--expect-no-changes");
    await declareLeaked(leaked);
    await expectSettled();
  });

  it("up --replace of the key, and of the tenure, in such a state", async () => {
    const before = await keyOf();
    await replace(`${CI}-key`);
    expect(await statuses(before, await keyOf())).toEqual([200, 200]);
    await expectSettled();
  });

  it("up --replace of its tenure that is cut off ends the key before once there is another", async () => {
    const before = await keyOf();
    await activate(false);
    const cut = await sandbox.stack.up("--replace", `**::${CI}-tenure`);
    expect(cut.output).toMatch(/Authentik (refused|denied).*zot-sandbox-ci/);
    expect(await statuses(before)).toEqual([200]);
    await activate(true);
    await succeed("up");
    expect(await statuses(before, await keyOf())).toEqual([401, 200]);
    await expectSettled();
  });

  it("removing an identity of such a state revokes its keys", async () => {
    const app = await keyOf(APP);
    await configure({ identities: [CI] });
    await succeed("up");
    expect(await status(app, APP)).toBe(401);
    await expectSettled();
  });

  it("destroy from an old copy of the state revokes all keys of the stack", async () => {
    const goBack = await backUp();
    await replace(`${CI}-tenure`);
    await rotate();
    await goBack();
    await succeed("destroy");
    // Open again, it asks for no key; hardened again, it does.
    await succeed("up");
    expect(new Set(await statuses(...issued))).toEqual(new Set([401]));
    expect(await status(stranger)).toBe(200);
  });
});
