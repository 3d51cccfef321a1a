import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pushImage } from "../../sandbox/distribution";
import { ask } from "../../sandbox/people";
import { NAME, type Sandbox, startSandbox } from "../../sandbox/sandbox";
import type { Run } from "../../sandbox/stack";
import { ApiKeys, withKey } from "../../src/credentials/api-keys";
import { basic } from "../../src/http/http";
import { tinyImage } from "../../src/verify/image";

const CI = `${NAME}-ci`;
const APP = `${NAME}-app`;

interface Secrets {
  apiKey: string;
  dockerConfigJson: string;
}

/** What every process on this machine is started with. */
class ProcessWatch {
  readonly seen = new Set<string>();
  /** How often each process has been looked at: a shell may become another program. */
  private readonly looks = new Map<string, number>();
  private readonly timer = setInterval(() => this.look(), 20);

  private look(): void {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid))) {
      const looks = (this.looks.get(pid) ?? 0) + 1;
      this.looks.set(pid, looks);
      if (looks <= 10) for (const file of ["cmdline", "environ"]) this.read(`/proc/${pid}/${file}`);
    }
  }

  /** A process may be gone, or be somebody else's. */
  private read(file: string): void {
    try {
      this.seen.add(readFileSync(file, "utf8"));
    } catch {}
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

interface Resource {
  urn: string;
  type: string;
  dependencies?: string[];
}

interface Exported {
  deployment: { resources: { type: string; outputs?: Record<string, { plaintext?: string }> }[] };
}

/** Every file under a directory, and what it holds. */
function filesUnder(directory: string): [name: string, content: string][] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [file, withoutDebug(readFileSync(file, "latin1"))]);
}

/** Pulumi's own SDK puts secrets into its debug messages, which an event log takes down (docs/facts.md, debug messages). */
function withoutDebug(content: string): string {
  return content.replace(/^\{.*"diagnosticEvent":.*"severity":"debug".*$/gm, "");
}

/** One life of a stack's keys, in order: each test starts where the one before it ended. */
describe("the keys of CI, with the Pulumi engine", () => {
  let sandbox: Sandbox;
  let watch: ProcessWatch;
  /** Everything that anybody was shown. */
  const shown: string[] = [];
  const secrets = new Set<string>();
  let behind: string[] = [];
  const settings = { key: {} as object, identities: [CI] };

  beforeAll(async () => {
    watch = new ProcessWatch();
    sandbox = await startSandbox((line) => shown.push(line));
  });
  afterAll(async () => {
    watch?.stop();
    await sandbox?.stop();
  });

  const keyFile = () => join(sandbox.directory, "delivered-key");

  function configure(change: Partial<typeof settings> = {}): void {
    Object.assign(settings, change);
    const raw = sandbox.settings();
    const { address, hostKey, port, privateKeyFile, user } = sandbox.host.ssh;
    const file = { address, hostKey, port, privateKeyFile, user, path: keyFile(), content: "apiKey" };
    raw["harden-zot:ci"] = settings.identities.map((name, index) => ({
      name,
      group: `${name}s`,
      repositories: [index === 0 ? "team/**" : `${name}/**`],
      key: settings.key,
      ...(index === 0 ? { publish: [{ file }] } : {}),
    }));
    sandbox.stack.configure(raw);
  }

  async function run(verb: "preview" | "up" | "destroy", ...flags: string[]): Promise<Run> {
    // Under the sandbox's directory, where it is searched in the end, as are its home and every log.
    const events = join(sandbox.directory, `events-${shown.length}.jsonl`);
    // A hidden flag, which the engine knows only under this variable.
    const logged = sandbox.stack.withEnvironment({ PULUMI_DEBUG_COMMANDS: "true" });
    const result = await logged[verb](...flags, "--event-log", events);
    shown.push(result.output);
    return result;
  }

  async function succeed(...call: Parameters<typeof run>): Promise<string> {
    const { code, output } = await run(...call);
    expect(code, output).toBe(0);
    return output;
  }

  async function issued(): Promise<Record<string, Secrets>> {
    const { ciSecrets } = await sandbox.stack.outputs("--show-secrets");
    for (const { apiKey } of Object.values(ciSecrets as Record<string, Secrets>)) secrets.add(apiKey);
    return ciSecrets as Record<string, Secrets>;
  }
  const keyOf = async (name = CI) => (await issued())[name]?.apiKey as string;

  const status = async (apiKey: string, username = CI) =>
    (await fetch(`${sandbox.registryUrl}/v2/`, { headers: { authorization: basic(username, apiKey) } })).status;
  const keysOf = (apiKey: string) => new ApiKeys(sandbox.registryUrl, CI, withKey(fetch as never, CI, apiKey));
  const push = async (repository: string, tag: string, apiKey: string, username = CI) =>
    (
      await pushImage(sandbox.registryUrl, repository, tag, tinyImage(`${repository}:${tag}`), {
        authorization: basic(username, apiKey),
      })
    ).status;

  it("are made by the first up, handed over, and good for what the identity may do", async () => {
    configure();
    await succeed("up");
    const apiKey = await keyOf();
    expect(await push("team/app", "v1.0.1-abcdef0", apiKey)).toBe(201);
    expect(await push("team/app", "v1.0.1-abcdef0", apiKey)).toBe(403);
    expect(await push("docker.io/app", "v1.0.1-abcdef0", apiKey)).toBe(403);
    const { ci, ciDockerConfig } = await sandbox.stack.outputs("--show-secrets");
    const { host } = new URL(sandbox.registryUrl);
    const auth = Buffer.from(`${CI}:${apiKey}`).toString("base64");
    expect(JSON.parse(ciDockerConfig as string)).toEqual({ auths: { [host]: { auth } } });
    expect(ci).toMatchObject({ [CI]: { registry: host, username: CI, daysLeft: 89 } });
    expect(readFileSync(keyFile(), "utf8").trim()).toBe(apiKey);
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    await succeed("up", "--expect-no-changes");
  });

  // Two deletions at once that both take the tokens of its logins along: the real one answers one of them 405.
  it("belong to an account that a destroy deletes before the client", async () => {
    const resources: Resource[] = JSON.parse(await sandbox.stack.state()).deployment.resources;
    const of = (type: string) => resources.filter((resource) => resource.type === `authentik:index/${type}`);
    const clients = of("providerOauth2:ProviderOauth2").map(({ urn }) => urn);
    expect(clients).toHaveLength(1);
    const accounts = of("user:User").map(({ dependencies = [] }) => dependencies);
    expect(accounts).toEqual([expect.arrayContaining(clients)]);
  });

  it("are rotated in place, and running jobs keep theirs", async () => {
    const first = await keyOf();
    configure({ key: { rotate: "once" } });
    const preview = await succeed("preview");
    expect(preview).toMatch(/its API key is to be rotated as the settings say; up makes another one/);
    expect(preview).toMatch(new RegExp(`~ +command:local:Command ${CI}-key update`));
    expect(preview).not.toMatch(/replace/);
    await succeed("up");
    const second = await keyOf();
    expect(second).not.toBe(first);
    expect([await status(first), await status(second)]).toEqual([200, 200]);
    expect(readFileSync(keyFile(), "utf8").trim()).toBe(second);
    configure({ key: { rotate: "twice" } });
    await succeed("up");
    const third = await keyOf();
    expect(await Promise.all([first, second, third].map((key) => status(key)))).toEqual([401, 200, 200]);
    await succeed("up", "--expect-no-changes");
  });

  it("are taken back at once when one has leaked", async () => {
    const leaked = await keyOf();
    configure({ key: { rotate: "leaked", keepPrevious: false } });
    await succeed("up");
    expect([await status(leaked), await status(await keyOf())]).toEqual([401, 200]);
  });

  it("that somebody revoked are noticed by the preview and replaced by up; a stranger's is named and left", async () => {
    const apiKey = await keyOf();
    const keys = keysOf(apiKey);
    const stranger = await keys.mint("made by hand", new Date(Date.now() + 3_600_000));
    secrets.add(stranger.apiKey);
    expect(await succeed("preview")).toMatch(/API key "made by hand" of .* was not made by this stack/);
    for (const { label, uuid } of await keys.list()) if (label.startsWith("harden-zot")) await keys.revoke(uuid);
    const preview = await succeed("preview");
    expect(preview).toMatch(/is refused by the registry.*up makes another one/);
    expect(preview).toContain(`${CI}-key update`);
    await succeed("up");
    expect([await status(await keyOf()), await status(stranger.apiKey)]).toEqual([200, 200]);
    await succeed("up", "--expect-no-changes");
  });

  it("stay as they are when a rotation fails, and the next up finishes it", async () => {
    const apiKey = await keyOf();
    const { results } = await ask<{ results: { pk: number }[] }>(
      sandbox.authentik,
      "GET",
      `core/users/?username=${CI}`,
    );
    const account = `core/users/${results[0]?.pk}/`;
    await ask(sandbox.authentik, "PATCH", account, { is_active: false });
    configure({ key: { rotate: "again" } });
    const failed = await run("up");
    expect(failed.code).not.toBe(0);
    expect(failed.output).toMatch(new RegExp(`Authentik (refused|denied).*${CI}`));
    expect(await status(apiKey)).toBe(200);
    expect(readFileSync(keyFile(), "utf8").trim()).toBe(apiKey);
    await ask(sandbox.authentik, "PATCH", account, { is_active: true });
    await succeed("up");
    expect([await status(apiKey), await status(await keyOf())]).toEqual([200, 200]);
  });

  it("are one for each identity, each for its own images alone", async () => {
    configure({ identities: [CI, APP] });
    await succeed("up");
    const app = await keyOf(APP);
    expect(await push(`${APP}/web`, "v1.0.0-abcdef0", app, APP)).toBe(201);
    expect(await push("team/app", "v9.0.0-abcdef0", app, APP)).toBe(403);
    expect(await push(`${APP}/web`, "v2.0.0-abcdef0", await keyOf())).toBe(403);
  });

  it("are revoked with their identity, and a later one of the same name does not inherit them", async () => {
    const app = await keyOf(APP);
    configure({ identities: [CI] });
    await succeed("up");
    const users = (name: string) =>
      ask<{ results: object[] }>(sandbox.authentik, "GET", `core/users/?username=${name}`);
    expect((await users(APP)).results).toEqual([]);
    expect(await status(app, APP)).toBe(401);
    configure({ identities: [CI, APP] });
    await succeed("up");
    expect(await status(app, APP)).toBe(401);
    expect(await status(await keyOf(APP), APP)).toBe(200);
  });

  /** App passwords, client secret and session keys. */
  async function secretsBehind(): Promise<string[]> {
    const { output } = await sandbox.stack.pulumi(["stack", "export", "--show-secrets"]);
    const { resources } = (JSON.parse(output) as Exported).deployment;
    return resources.flatMap(({ outputs, type }) => {
      const secret = {
        "authentik:index/token:Token": outputs?.key,
        "random:index/randomPassword:RandomPassword": outputs?.result,
      }[type];
      return secret?.plaintext ? [JSON.parse(secret.plaintext) as string] : [];
    });
  }

  it("are revoked and taken back by destroy", async () => {
    shown.push(await sandbox.stack.state());
    await issued();
    behind = await secretsBehind();
    expect(behind).toHaveLength(5);
    await succeed("destroy");
    expect(() => statSync(keyFile())).toThrow(/ENOENT/);
    const { results } = await ask<{ results: object[] }>(sandbox.authentik, "GET", `core/users/?username=${CI}`);
    expect(results).toEqual([]);
  });

  it("were never seen by anybody they are not for", async () => {
    // One is the stranger's; the others are those that the stack handed out.
    expect(secrets.size).toBeGreaterThan(6);
    const files = filesUnder(sandbox.directory);
    expect(files.filter(([name]) => name.endsWith(".jsonl")).length).toBeGreaterThan(10);
    const forms = [...secrets].flatMap((key) => [key, Buffer.from(`${CI}:${key}`).toString("base64")]);
    for (const text of [...forms, ...behind]) {
      expect(shown.some((output) => output.includes(text))).toBe(false);
      expect([...watch.seen].some((process) => process.includes(text))).toBe(false);
      expect(files.filter(([, content]) => content.includes(text)).map(([name]) => name)).toEqual([]);
    }
  });
});
