import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pullManifest, pushImage } from "../../sandbox/distribution";
import { ask } from "../../sandbox/people";
import { NAME, type Sandbox, startSandbox } from "../../sandbox/sandbox";
import type { RawSettings } from "../../src/settings/settings";
import { tinyImage } from "../../src/verify/image";

type Section = Record<string, unknown>;

/** One life, in order: each test starts where the one before it ended. */
describe("the first hardening of a registry that is configured otherwise, with the Pulumi engine", () => {
  let sandbox: Sandbox;
  let open: string;
  let data: string;

  const configFile = () => join(sandbox.host.configDirectory, "config.json");
  const live = () => readFileSync(configFile(), "utf8");
  /** Another config.json than zot was started with: what lies there counts. */
  const lay = (change: (config: { storage: Section; http: Section; log: Section; extensions: Section }) => void) => {
    const config = { extensions: {}, ...JSON.parse(open) };
    change(config);
    writeFileSync(configFile(), JSON.stringify(config));
  };
  const configure = (storage: Section, changes: string[] = []) => {
    const settings: RawSettings = sandbox.settings();
    Object.assign((settings["harden-zot:registry"] as Section).storage as Section, storage);
    Object.assign((settings["harden-zot:hosts"] as Section[])[0] as Section, { changes });
    sandbox.stack.configure(settings);
  };
  const clients = async () =>
    (await ask<{ results: unknown[] }>(sandbox.authentik, "GET", `providers/oauth2/?client_id=${NAME}`)).results;
  const pull = async () =>
    (await pullManifest(sandbox.registryUrl, sandbox.existing.repository, sandbox.existing.tag)).status;
  const isOpen = async () =>
    (await pushImage(sandbox.registryUrl, "team/app", "v1.0.0-0000000", tinyImage("more"))).status;

  beforeAll(async () => {
    sandbox = await startSandbox(() => {});
    open = live();
    data = join(sandbox.host.configDirectory, "../data");
  });
  afterAll(async () => {
    await sandbox?.stop();
  });

  it("shows in the preview every key that goes or changes, and changes nothing", async () => {
    lay(({ storage, http, log, extensions }) => {
      Object.assign(storage, { retention: { dryRun: true, delay: "24h" } });
      Object.assign(http, {
        realm: "hall",
        auth: { ldap: { address: "ldap.example", bindPassword: "s3cret-of-the-test" } },
      });
      Object.assign(log, { output: "/var/log/zot.log" });
      Object.assign(extensions, { scrub: { enable: true, interval: "24h" } });
    });
    const { code, output } = await sandbox.stack.preview();
    expect(code, output).toBe(0);
    expect(output).toContain(
      "registry-host: the first up replaces the config.json that is served. What goes or changes:",
    );
    for (const line of [
      "- storage.retention goes: no setting says it; harden-zot:registry.extraConfig keeps it",
      "- extensions.scrub goes: no setting says it",
      '- log.output goes, until now "/var/log/zot.log": no setting says it',
      '- http.realm changes from "hall" to "zot"',
      "- http.auth.ldap goes: people log in through Authentik",
    ])
      expect(output).toContain(line);
    expect(output + (await sandbox.stack.state())).not.toContain("s3cret-of-the-test");
    writeFileSync(configFile(), open);
  });

  it.each([
    [
      "storage.rootDirectory",
      ({ storage }: { storage: Section }) => Object.assign(storage, { rootDirectory: "/disk2" }),
    ],
    [
      "storage.subPaths",
      ({ storage }) => Object.assign(storage, { subPaths: { "/team": { rootDirectory: "/disk2" } } }),
    ],
    ["http.tls", ({ http }) => Object.assign(http, { tls: { cert: "/c.pem", key: "/k.pem" } })],
    ["http.port", ({ http }) => Object.assign(http, { port: "1" })],
  ] as [string, Parameters<typeof lay>[0]][])(
    "stops preview and up where %s differs, before anything is made",
    async (key, change) => {
      lay(change);
      const served = live();
      for (const run of [await sandbox.stack.preview(), await sandbox.stack.up()]) {
        expect(run.code, run.output).not.toBe(0);
        expect(run.output).toMatch(new RegExp(`  - ${key} is .* now and would be .*changes: \\[${key}\\]\\.`));
        expect(run.output).not.toMatch(/^\s+at .*\(?.*:\d+:\d+\)?$/m);
      }
      expect(await clients()).toEqual([]);
      expect(live()).toBe(served);
      expect(await isOpen()).toBe(201);
      writeFileSync(configFile(), open);
    },
  );

  it("brings an open registry back whose catalog is lost by a change that was named", async () => {
    configure({ rootDirectory: join(data, "../empty") }, ["storage.rootDirectory"]);
    const { code, output } = await sandbox.stack.up();
    expect(code, output).not.toBe(0);
    expect(output).toMatch(
      /does not have what it showed to anyone before: team\/app \(404 NAME_UNKNOWN\)\. The configuration from before is back and serving\./,
    );
    expect(live()).toBe(open);
    expect(await pull()).toBe(200);
    expect(await isOpen()).toBe(201);
  });

  it("goes on where the change is named and the images are there", async () => {
    cpSync(data, join(data, "../moved"), { recursive: true });
    configure({ rootDirectory: join(data, "../moved") }, ["storage.rootDirectory"]);
    const { code, output } = await sandbox.stack.up();
    expect(code, output).toBe(0);
    expect(output).toContain("storage.rootDirectory changes from");
    expect(output).toContain("2 tags of 1 repositories that anyone could see before are there");
    expect(await pull()).toBe(200);
    expect(await isOpen()).toBe(401);
    const again = await sandbox.stack.preview("--expect-no-changes");
    expect(again.code, again.output).toBe(0);
  });
});
