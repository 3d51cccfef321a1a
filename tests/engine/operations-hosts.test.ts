import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pushImage } from "../../sandbox/distribution";
import { ADMINS, type Sandbox, startSandbox } from "../../sandbox/sandbox";
import { type Run, Stack } from "../../sandbox/stack";
import { tinyImage } from "../../src/verify/image";

const HOST = "registry-host";

/** What operators do with a stack, and a hardened registry: nobody may push to it unless its owner said farewell. */
describe("a hardened registry, whatever is done with the stack", () => {
  let sandbox: Sandbox;
  let open: string;

  beforeAll(async () => {
    sandbox = await startSandbox(() => {}, 2);
    open = liveConfig();
    configure({});
    succeeded(await sandbox.stack.up());
  });
  afterAll(() => sandbox?.stop());

  const succeeded = ({ code, output }: Run): string => {
    expect(code, output).toBe(0);
    return output;
  };
  const file = (name: string) => join(sandbox.host.configDirectory, name);
  const liveConfig = () => readFileSync(file("config.json"), "utf8");
  const tenure = () => readFileSync(file("harden-zot/tenure"), "utf8");

  /** What a stranger gets who starts a push and deletes an image. */
  async function attack(): Promise<number[]> {
    const upload = await fetch(`${sandbox.registryUrl}/v2/team/app/blobs/uploads/`, { method: "POST" });
    const removal = await fetch(`${sandbox.registryUrl}/v2/team/app/manifests/v1.0.0-abcdef0`, { method: "DELETE" });
    return [upload.status, removal.status];
  }

  /** Attacks without a pause as long as the operation runs, and once after it. @returns what was ever let through */
  async function underAttack<Result>(operation: Promise<Result>): Promise<Result> {
    let over = false;
    const breaches: number[] = [];
    const attacks = (async () => {
      while (!over) {
        breaches.push(...(await attack().catch(() => [])).filter((status) => status < 300));
        await sleep(50);
      }
    })();
    try {
      return await operation;
    } finally {
      over = true;
      await attacks;
      expect(breaches).toEqual([]);
      expect(await attack()).toEqual([401, 401]);
    }
  }

  async function operate(...flags: string[]): Promise<string> {
    const output = succeeded(await underAttack(sandbox.stack.up(...flags)));
    succeeded(await underAttack(sandbox.stack.up("--expect-no-changes")));
    return output;
  }

  /** @param name null for none, so that the host is called by its address */
  function configure(change: object, name: string | null = HOST): void {
    const settings = sandbox.settings();
    const [host] = settings["harden-zot:hosts"] as { name?: string }[];
    const { name: _, ...unnamed } = host as { name: string };
    settings["harden-zot:hosts"] = [{ ...unnamed, ...(name ? { name } : {}), ...change }];
    sandbox.stack.configure(settings);
  }

  const replace = (...names: string[]) => operate(...names.flatMap((name) => ["--replace", `**::${HOST}-${name}`]));

  it.each(["config", "agent", "secrets", "tenure"])("stays so through up --replace of the host's -%s", async (name) => {
    await replace(name);
  });

  it("stays so through up --replace of everything of the host at once", async () => {
    await replace("config", "agent", "secrets", "tenure");
  });

  it("stays so when the tenure alone is replaced and nothing else is touched", async () => {
    const before = tenure();
    succeeded(await underAttack(sandbox.stack.up("--target-replace", `**::${HOST}-tenure`)));
    expect(tenure()).not.toBe(before);
    await operate();
  });

  it("stays so through pulumi state taint of the configuration", async () => {
    const { resources } = JSON.parse(await sandbox.stack.state()).deployment as { resources: { urn: string }[] };
    const { urn } = resources.find(({ urn }) => urn.endsWith(`::${HOST}-config`)) as { urn: string };
    succeeded(await sandbox.stack.pulumi(["state", "taint", urn, "--yes"]));
    await operate();
  });

  it("is the same host under another name: nothing is deleted, and its life goes on", async () => {
    const before = tenure();
    configure({}, "renamed");
    const output = await operate();
    expect(output).not.toMatch(/deleted|leaves the settings/);
    expect(tenure()).toBe(before);
  });

  it("is the same host without a name, under another address of the same machine", async () => {
    const before = tenure();
    configure({}, null);
    await operate();
    configure({ address: "localhost" }, null);
    expect(await operate()).not.toMatch(/deleted|leaves the settings/);
    expect(tenure()).toBe(before);
    configure({});
    await operate();
  });

  it("stays so when it gets another name while nothing of its record can be read", async () => {
    rmSync(file("harden-zot/tenure"));
    configure({}, "unknown");
    expect(await operate()).toMatch(/registry-host leaves the settings/);
    configure({});
    await operate();
  });

  it("two names for one directory of one machine are refused before anything is touched", async () => {
    const settings = sandbox.settings();
    const [host] = settings["harden-zot:hosts"] as object[];
    settings["harden-zot:hosts"] = [host, { ...host, name: "other", address: "localhost" }];
    sandbox.stack.configure(settings);
    const preview = await sandbox.stack.preview();
    expect(preview.output).toMatch(/must not name one configDirectory of one machine twice/);
    configure({});
  });

  describe("and a second stack", () => {
    let second: Stack;
    beforeAll(async () => {
      const directory = join(sandbox.directory, "second");
      mkdirSync(directory);
      second = new Stack({ ...sandbox.stackOptions, directory });
      await second.create(settingsOfSecond());
    });

    /** Its application takes the first stack's CI accounts, too, so that the first can revoke its keys in the end. */
    const settingsOfSecond = (change: object = {}) => {
      const settings = sandbox.settings();
      const [{ group }] = settings["harden-zot:ci"] as [{ group: string }];
      const [host] = settings["harden-zot:hosts"] as object[];
      return {
        ...settings,
        "harden-zot:hosts": [{ ...host, ...change }],
        "harden-zot:identity": {
          ...(settings["harden-zot:identity"] as object),
          ...{ name: "second", slug: "zot-second", clientId: "zot-second", existingGroups: [ADMINS, group] },
        },
        "harden-zot:access": {
          ...(settings["harden-zot:access"] as object),
          groups: [{ group, repositories: ["guests/**"], role: "reader" }],
        },
        "harden-zot:ci": [],
      };
    };
    const owner = () => /owner=(.*)/.exec(tenure())?.[1] as string;

    it("is refused by the sentence that names both owners, before anything is made", async () => {
      const { code, output } = await underAttack(second.up());
      expect(code).not.toBe(0);
      expect(output).toMatch(
        new RegExp(
          `${HOST}: its registry is delivered by ${owner()}, and this stack is sandbox:[0-9a-f]{12}: deliver to it from there, or take it over with harden-zot:hosts, takeOver: "${owner()}"\\. Nothing was changed\\.`,
        ),
      );
      succeeded(await second.destroy());
      expect(await attack()).toEqual([401, 401]);
    });

    it("takes it over knowingly, and the first stack leaves it alone from then on", async () => {
      const first = owner();
      second.configure(settingsOfSecond({ takeOver: first }));
      succeeded(await underAttack(second.up()));
      expect(owner()).not.toBe(first);
      const refused = await underAttack(sandbox.stack.up());
      expect(refused.code).not.toBe(0);
      expect(refused.output).toContain(`its registry is delivered by ${owner()}, and this stack is ${first}`);
      const output = succeeded(await underAttack(sandbox.stack.destroy()));
      expect(output).toMatch(/it is delivered by sandbox:[0-9a-f]{12} by now .*: left as it is/);
    });

    it("gives it back to the first in the same way", async () => {
      const now = owner();
      configure({ takeOver: now });
      succeeded(await underAttack(sandbox.stack.up()));
      succeeded(await underAttack(second.destroy()));
      configure({});
      await operate();
    });
  });

  it("says farewell for an old copy of the state, too, when that is destroyed", async () => {
    const old = await sandbox.stack.state();
    await replace("tenure");
    writeFileSync(join(sandbox.directory, "old.json"), old);
    succeeded(await sandbox.stack.pulumi(["stack", "import", "--file", join(sandbox.directory, "old.json")]));
    succeeded(await sandbox.stack.destroy());
    expect(liveConfig()).toBe(open);
    expect(await attack()).toEqual([202, 202]);
    await pushImage(sandbox.registryUrl, "team/app", "v1.0.0-abcdef0", tinyImage("existing"));
    succeeded(await sandbox.stack.up());
  });

  it("is hardened again by every up, as often as somebody opened it on the host", async () => {
    for (let time = 0; time < 2; time++) {
      const [owner, life] = tenure().trim().split("\n") as [string, string];
      const { start, stop, status } = sandbox.host.service;
      const words = [
        ["start", start],
        ["stop", stop],
        ["status", status],
      ].map(([name, command]) => `${name}=${(command as string[]).join(",")}`);
      execFileSync("sh", [
        file("harden-zot/agent.sh"),
        "restore",
        `zot=${sandbox.host.zot}`,
        "service=command",
        ...words,
        owner,
        life,
      ]);
      expect(await attack().catch(attack)).toEqual([202, 202]);
      await pushImage(sandbox.registryUrl, "team/app", "v1.0.0-abcdef0", tinyImage("existing"));
      expect((await sandbox.stack.preview()).output).toMatch(/registry-host-config .*(replace|update)/);
      succeeded(await sandbox.stack.up());
      expect(await attack().catch(attack)).toEqual([401, 401]);
      succeeded(await sandbox.stack.up("--expect-no-changes"));
    }
  });

  it("stays so while a lost record is mended and an image is deleted", async () => {
    writeFileSync(file("harden-zot/record"), "sha2");
    rmSync(join(file("../data"), "team"), { recursive: true });
    const output = await operate();
    expect(output).not.toMatch(/the first up replaces/);
    expect(liveConfig()).toContain("openid");
    succeeded(await sandbox.stack.destroy());
    await pushImage(sandbox.registryUrl, "team/app", "v1.0.0-abcdef0", tinyImage("existing"));
    succeeded(await sandbox.stack.up());
  });

  it("a claim of a first run that was cut off, whose owner is in no state, does not keep the next run away", async () => {
    succeeded(await sandbox.stack.destroy());
    mkdirSync(file("harden-zot"), { mode: 0o700 });
    writeFileSync(file("harden-zot/tenure"), "owner=sandbox:000000000000\nlife=000000000000\n");
    expect(succeeded(await sandbox.stack.up())).toMatch(
      /registry-host: up takes it over from sandbox:000000000000, which claimed it and delivered nothing/,
    );
    await operate();
  });

  it("says what a destroy cannot put back when the host lost it, and goes back to what is given by hand", async () => {
    rmSync(file("harden-zot"), { recursive: true });
    const output = await operate();
    expect(output).not.toMatch(/open configuration/);
    expect((await sandbox.stack.preview()).output).toMatch(
      /registry-host: the configuration from before the first hardening is lost/,
    );
    const failed = await underAttack(sandbox.stack.destroy());
    expect(failed.code).not.toBe(0);
    expect(failed.output).toMatch(
      /the configuration from before the first hardening is lost \(.*original\.json\): put the one that zot shall go back to there and run again, or set the host's farewell: read-only; nothing was changed/,
    );
    writeFileSync(file("harden-zot/original.json"), open);
    succeeded(await sandbox.stack.destroy());
    expect(liveConfig()).toBe(open);
    succeeded(await sandbox.stack.up());
  });

  it("says aloud in the preview that a host which leaves the settings is open again, and keeps the others", async () => {
    const settings = sandbox.settings();
    const [, another] = settings["harden-zot:hosts"] as object[];
    sandbox.stack.configure({ ...settings, "harden-zot:hosts": [another] });
    const { output } = await sandbox.stack.preview();
    expect(output).toMatch(
      /registry-host leaves the settings: up gives it its configuration from before the first hardening back, .* anyone who reaches it may push there again/,
    );
    configure({});
  });

  it("says aloud that a name which another machine gets leaves the machine it was without a farewell", async () => {
    const settings = sandbox.settings();
    const [host, another] = settings["harden-zot:hosts"] as {
      name: string;
      address: string;
      port: number;
      user: string;
    }[];
    sandbox.stack.configure({ ...settings, "harden-zot:hosts": [{ ...another, name: host?.name }] });
    const { output } = await sandbox.stack.preview();
    expect(output).toContain(
      `registry-host: it was host ${host?.user}@${host?.address}:${host?.port} until now. If that is another machine, it stays hardened`,
    );
    expect(output).not.toContain("leaves the settings");
    configure({});
    expect((await sandbox.stack.preview()).output).not.toContain("until now");
  });

  it("is left read-only by a farewell that asks for it: pulls go on, nobody pushes, zot starts without an issuer", async () => {
    configure({ farewell: "read-only" });
    await operate();
    succeeded(await underAttack(sandbox.stack.destroy()));
    expect(JSON.parse(liveConfig()).http.auth).toBeUndefined();
    expect((await fetch(`${sandbox.registryUrl}/v2/team/app/manifests/v1.0.0-abcdef0`)).status).toBe(200);
    expect(
      (
        await fetch(
          `${sandbox.registryUrl}/v2/docker.io/${sandbox.cached.repository.replace("docker.io/", "")}/manifests/${sandbox.cached.tag}`,
        )
      ).status,
    ).toBe(200);
    // Up again, from there, and to the open registry that it once was.
    configure({});
    succeeded(await underAttack(sandbox.stack.up()));
    succeeded(await sandbox.stack.destroy());
    expect(liveConfig()).toBe(open);
  });
});
