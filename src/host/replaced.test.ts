import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { leaves } from "../adopt/differences";
import { renderConfig, serializeConfig } from "../config/render";
import { OperatorError } from "../operator/error";
import { MOVING_KEYS } from "../settings/hosts";
import { parseSettings, type RawSettings, type Settings } from "../settings/settings";
import { statusCommand } from "./agent";
import { agentText } from "./agent-text";
import { replaced } from "./replaced";

type Section = Record<string, unknown>;

function settingsWith(registry: Section = {}, host: Section = {}): Settings {
  return parseSettings({
    "authentik:url": "https://authentik.example.test",
    "harden-zot:registry": {
      externalUrl: "https://registry.example.test",
      version: "2.1.20",
      listen: { address: "127.0.0.1", port: 5000 },
      storage: { rootDirectory: "/srv/zot" },
      ui: false,
      ...registry,
    },
    "harden-zot:hosts": [
      {
        ...{ address: "indri", user: "zot", hostKey: "ssh-ed25519 AAAA", zot: "/usr/bin/zot" },
        ...{ configDirectory: "/etc/zot", service: { manager: "systemd", name: "zot" } },
        ...host,
      },
    ],
    "harden-zot:access": { admins: { group: "admins" } },
    "harden-zot:ci": [],
  } as unknown as RawSettings);
}

/** What the settings above come to, without logins and rules: nothing but they is new. */
const same = (): { storage: Section; http: Section; log: Section; extensions: Section } => ({
  storage: { rootDirectory: "/srv/zot", gcInterval: "24h" },
  http: { address: "127.0.0.1", port: "5000" },
  log: { level: "info" },
  extensions: {},
});

function compared(change: (config: ReturnType<typeof same>) => void, settings = settingsWith()) {
  const config = same();
  change(config);
  return replaced(JSON.stringify(config), settings.hosts[0] as Settings["hosts"][0], settings);
}

const NOTHING = { stops: [], told: [] };

describe("what the first hardening does to the configuration that is served", () => {
  it("is nothing where that says the same, in any spelling, and where a default is written out", () => {
    expect(compared(() => {})).toEqual(NOTHING);
    const spelt = compared((config) => {
      Object.assign(config.storage, { RootDirectory: undefined, rootDirectory: "/srv//zot/", dedupe: true, gc: true });
      Object.assign(config.storage, { gcDelay: "60m", gcInterval: 86_400_000_000_000, subPaths: {}, commit: false });
      Object.assign(config, { distSpecVersion: "1.0.1", HTTP: { ...config.http, PORT: 5000 }, http: undefined });
      Object.assign(config.extensions, { scrub: { enable: false }, ui: { enable: false } });
    });
    expect(spelt).toEqual(NOTHING);
  });

  it("is nothing where it is our own configuration", () => {
    const settings = settingsWith({ search: {}, ui: true, metrics: "anonymous" });
    const references = { issuer: "https://authentik.example.test", credentialsFile: "(new)", sessionKeysFile: "(new)" };
    const text = serializeConfig(renderConfig(settings, references));
    expect(replaced(text, settings.hosts[0] as Settings["hosts"][0], settings)).toEqual(NOTHING);
  });

  it.each([
    [
      "storage.rootDirectory",
      ({ storage }: ReturnType<typeof same>) => Object.assign(storage, { rootDirectory: "/var/lib/registry" }),
      'storage.rootDirectory is "/var/lib/registry" now and would be "/srv/zot": the images that are there would not be served. Set harden-zot:registry.storage.rootDirectory, or rootDirectory of this host, to what it is now; or, if the change is wanted, name it: harden-zot:hosts, indri, changes: [storage.rootDirectory].',
    ],
    [
      "storage.subPaths",
      ({ storage }: ReturnType<typeof same>) =>
        Object.assign(storage, { subPaths: { "/a": { rootDirectory: "/disk2" }, "/b": { rootDirectory: "/disk3" } } }),
      "storage.subPaths is set (/a in /disk2, /b in /disk3) now and would be not set: the images of these repositories would not be served from there. Set harden-zot:registry.extraConfig, storage.subPaths, to what it is now; or, if the change is wanted, name it: harden-zot:hosts, indri, changes: [storage.subPaths].",
    ],
    [
      "storage.storageDriver",
      ({ storage }: ReturnType<typeof same>) =>
        Object.assign(storage, { storageDriver: { name: "s3", bucket: "images", secretkey: "s3cret" } }),
      "storage.storageDriver is set (name, bucket) now and would be not set: the images that are there would not be served.",
    ],
    [
      "storage.cacheDriver",
      ({ storage }: ReturnType<typeof same>) => Object.assign(storage, { remoteCache: true }),
      "storage.remoteCache is true now and would be not set: zot finds deduplicated blobs, users and API keys by it.",
    ],
    [
      "storage.dedupe",
      ({ storage }: ReturnType<typeof same>) => Object.assign(storage, { dedupe: false }),
      "storage.dedupe is false now and would be true: ",
    ],
    [
      "http.address",
      ({ http }: ReturnType<typeof same>) => Object.assign(http, { address: "0.0.0.0" }),
      'http.address is "0.0.0.0" now and would be "127.0.0.1": whoever reaches the registry there would not any more.',
    ],
    [
      "http.port",
      ({ http }: ReturnType<typeof same>) => Object.assign(http, { port: undefined }),
      'http.port is "8080" now and would be "5000": ',
    ],
    [
      "http.tls",
      ({ http }: ReturnType<typeof same>) => Object.assign(http, { tls: { cert: "/c.pem", key: "/k.pem" } }),
      "http.tls is set (cert, key) now and would be not set: clients and proxies that speak TLS to it",
    ],
  ] as const)("stops at %s, and tells it where it is named as wanted", (key, change, sentence) => {
    const { stops, told } = compared(change);
    expect(stops).toEqual([expect.stringContaining(sentence)]);
    expect(stops[0]).toContain(`changes: [${key}].`);
    expect(told.filter((line) => !line.includes("a secret"))).toEqual([]);
    const wanted = compared(change, settingsWith({}, { changes: [key] }));
    expect(wanted.stops).toEqual([]);
    expect(wanted.told[0]).toContain(`wanted, as changes names ${key}`);
  });

  it("has a case for every key that may be named", () => {
    expect([...MOVING_KEYS].sort()).toEqual(
      [
        ...["storage.rootDirectory", "storage.subPaths", "storage.storageDriver", "storage.cacheDriver"],
        ...["storage.dedupe", "http.address", "http.port", "http.tls"],
      ].sort(),
    );
  });

  it("stops where a key comes that moves images, and where one subpath of several moves", () => {
    const extra = (subPaths: Section) => settingsWith({ extraConfig: { storage: { subPaths } } });
    const settings = extra({ "/a": { rootDirectory: "/disk2" } });
    expect(compared(() => {}, settings).stops).toEqual([expect.stringContaining("storage.subPaths is not set now")]);
    const moved = compared(({ storage }) => {
      storage.subPaths = { "/a": { rootDirectory: "/disk4" }, "/b": { rootDirectory: "/disk3" } };
    }, settings);
    expect(moved.stops).toEqual([
      expect.stringContaining('storage.subPaths["/a"].rootDirectory is "/disk4" now and would be "/disk2"'),
      expect.stringContaining('storage.subPaths["/b"] is set (/disk3) now and would be not set'),
    ]);
  });

  it("tells every other key that goes or changes by its name, with the values that hold no secret", () => {
    const { stops, told } = compared(({ storage, http, log, extensions }) => {
      Object.assign(storage, { gcInterval: undefined, retention: { dryRun: true, policies: [] } });
      Object.assign(http, {
        realm: "hall",
        ratelimit: { rate: 10 },
        auth: { htpasswd: { path: "/etc/zot/htpasswd" } },
      });
      Object.assign(http, { accessControl: { repositories: { "**": { anonymousPolicy: ["read", "create"] } } } });
      Object.assign(log, { level: "debug", output: "/var/log/zot.log\u001b[31m" });
      Object.assign(extensions, { scrub: { enable: true, interval: "24h" }, newer: { than: "2.1.20" } });
    });
    expect(stops).toEqual([]);
    expect(told).toEqual([
      "storage.retention goes: no setting says it; harden-zot:registry.extraConfig keeps it",
      'storage.gcInterval changes from "1h" to "24h": as harden-zot:registry.storage says',
      'http.realm changes from "hall" to "zot": as the setting of that name in harden-zot:registry says',
      "http.ratelimit goes: no setting says it; harden-zot:registry.extraConfig keeps it",
      "http.auth.htpasswd goes: people log in through Authentik, machines by API keys",
      'log.level changes from "debug" to "info": as harden-zot:registry.logLevel says',
      'log.output goes, until now "/var/log/zot.log\\u001b[31m": no setting says it; harden-zot:registry.extraConfig keeps it',
      "extensions.scrub goes: no setting says it; harden-zot:registry.extraConfig keeps it",
      "extensions.newer goes: no setting says it; harden-zot:registry.extraConfig keeps it",
      "http.accessControl changes: the rules of harden-zot:access, harden-zot:ci and harden-zot:registry.metrics, which `make access` shows, instead of those that are there",
    ]);
  });

  it.each([
    ["no JSON", '{"http": "s3cret', /^indri: \/etc\/zot\/config\.json is not valid JSON/],
    ["a list", "[]", /is not a JSON object/],
    [
      "a depth that would end in a stack trace",
      `${'{"a":'.repeat(6000)}1${"}".repeat(6000)}`,
      /is nested more than 100 deep/,
    ],
    ["a value that no zot loads", '{"storage":{"gc":"s3cret"}}', /storage\.gc: cannot parse value as 'bool'/],
  ])("refuses what cannot be compared: %s", (_, text, message) => {
    const settings = settingsWith();
    const failure = (() => {
      try {
        return replaced(text, settings.hosts[0] as Settings["hosts"][0], settings);
      } catch (error) {
        return error as Error;
      }
    })();
    expect(failure).toBeInstanceOf(OperatorError);
    expect((failure as Error).message).toMatch(message);
    expect((failure as Error).message).not.toContain("s3cret");
  });
});

/** Planted wherever zot takes a secret, and searched for in everything that is shown. */
const secret = fc.integer({ min: 100, max: 999 }).map((number) => `s3cret-${number}`);
const some = <Shape extends Record<string, fc.Arbitrary<unknown>>>(shape: Shape) =>
  fc.record(shape, { requiredKeys: [] });
const word = fc.constantFrom("one", "two", "three");
const time = fc.constantFrom("1h", "60m", "24h", "90s", "0s");

const subPath = some({ rootDirectory: fc.constantFrom("/disk2", "/disk3"), gc: fc.boolean(), gcDelay: time });
const running = some({
  distSpecVersion: fc.constant("1.1.0"),
  storage: some({
    ...{ rootDirectory: fc.constantFrom("/srv/zot", "/srv/zot/", "/other"), dedupe: fc.boolean(), gc: fc.boolean() },
    ...{ gcDelay: time, gcInterval: time, commit: fc.boolean(), remoteCache: fc.boolean() },
    retention: some({ dryRun: fc.boolean(), delay: time, policies: fc.constant([{ repositories: ["**"] }]) }),
    subPaths: fc.dictionary(fc.constantFrom("/a", "/b c", "/d.e"), subPath, { maxKeys: 2 }),
    storageDriver: some({ name: fc.constant("s3"), bucket: word, accesskey: secret, secretkey: secret }),
    cacheDriver: fc.record({ name: fc.constant("redis"), url: secret.map((one) => `redis://zot:${one}@redis:6379`) }),
  }),
  http: some({
    ...{ address: fc.constantFrom("127.0.0.1", "0.0.0.0", "::"), port: fc.constantFrom("5000", 5000, "8080") },
    ...{ realm: word, externalUrl: fc.constant("https://registry.example.test"), readTimeout: time },
    tls: some({ cert: word, key: word }),
    auth: some({
      ldap: some({ address: word, bindDN: word, bindPassword: secret }),
      htpasswd: some({ path: word }),
      bearer: some({ realm: word, service: word }),
      failDelay: fc.integer({ min: 0, max: 5 }),
      openid: some({
        providers: fc.dictionary(fc.constantFrom("oidc", "github"), some({ issuer: word, clientsecret: secret })),
      }),
    }),
    accessControl: some({ repositories: fc.constant({ "**": { anonymousPolicy: ["read"] } }) }),
    ratelimit: some({ rate: fc.integer({ min: 0, max: 9 }) }),
  }),
  log: some({ level: fc.constantFrom("info", "debug"), output: word, audit: word }),
  extensions: some({
    scrub: some({ enable: fc.boolean(), interval: time }),
    lint: some({ enable: fc.boolean(), mandatoryAnnotations: fc.array(word) }),
    events: some({
      sinks: fc.array(
        some({
          type: word,
          headers: fc.dictionary(word, secret),
          credentials: some({ password: secret, token: secret }),
        }),
        { maxLength: 2 },
      ),
    }),
    newer: some({ than: word, token: secret }),
  }),
  scheduler: some({ numWorkers: fc.integer({ min: 0, max: 4 }) }),
});

describe("any configuration that is served", () => {
  it("loses no key without a word, and no secret is in any", () => {
    let lines = 0;
    fc.assert(
      fc.property(running, (config) => {
        const settings = settingsWith();
        const { stops, told } = replaced(JSON.stringify(config), settings.hosts[0] as Settings["hosts"][0], settings);
        const all = [...stops, ...told];
        lines += all.length;
        expect(all.join("\n")).not.toContain("s3cret");
        expect(new Set(all).size).toBe(all.length);
        const ours = renderConfig(settings, { issuer: "", credentialsFile: "", sessionKeysFile: "" });
        for (const { path, before } of leaves(config, ours, [])) {
          if (before === undefined || isSilent(path, before)) continue;
          const named = all.some((line) => [" ", ".", "["].some((end) => coversWith(line, path, end)));
          expect(named, `${path} in\n${all.join("\n")}`).toBe(true);
        }
      }),
      { numRuns: 300, seed: 14 },
    );
    expect(lines).toBeGreaterThan(1000);
  });
});

describe("what the agent hands over of it", () => {
  const directory = mkdtempSync(join(tmpdir(), "harden-zot-found-"));
  afterAll(() => rmSync(directory, { recursive: true }));

  /** By an agent on standard input, of a directory in which nothing runs. */
  function handedOver(text: string): string {
    writeFileSync(join(directory, "config.json"), text);
    const service = { manager: "command" as const, start: ["false"], stop: ["false"], status: ["false"] };
    const command = statusCommand({ configDirectory: directory, zot: "/bin/false", service, sudo: false });
    const { stdout } = spawnSync("sh", command.split(" ").slice(1), { input: agentText(), encoding: "utf8" });
    return JSON.parse(stdout).found;
  }

  it("says the same, in any layout, and holds no secret", () => {
    const [host] = settingsWith().hosts as [Settings["hosts"][0]];
    for (const [index, config] of fc.sample(running, { numRuns: 25, seed: 14 }).entries()) {
      const found = handedOver(JSON.stringify(config, null, [0, 2, "\t"][index % 3]));
      expect(found).not.toContain("s3cret");
      const [before, after] = [JSON.stringify(config), found].map((text) => replaced(text, host, settingsWith()));
      expect(after).toEqual(before);
    }
  });
});

/** The line's key is the path, one above it, or one below it. */
function coversWith(line: string, path: string, end: string): boolean {
  const key = /^(?:[^ "[]|\["(?:[^"\\]|\\.)*"\]|\[\d+\])+/.exec(line)?.[0] ?? "";
  return key === path || path.startsWith(`${key}${end}`) || key.startsWith(`${path}${end}`);
}

/** What says nothing, or the same in other words. */
function isSilent(path: string, value: unknown): boolean {
  if (path === "distSpecVersion") return true;
  if (typeof value === "object" && value !== null) {
    if ("enable" in value && value.enable === false) return true;
    return Object.entries(value).every(([key, one]) => isSilent(`${path}.${key}`, one));
  }
  if (value === false || value === "" || value === 0) return path !== "storage.dedupe" && path !== "storage.gc";
  const defaults: Record<string, unknown[]> = {
    "storage.rootDirectory": ["/srv/zot/"],
    "storage.dedupe": [true],
    "storage.gc": [true],
    "storage.gcDelay": ["1h", "60m"],
    "http.port": [5000],
  };
  return (defaults[path] ?? []).includes(value);
}
