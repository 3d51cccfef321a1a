import { mkdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pushImage } from "../../sandbox/distribution";
import { withRule } from "../../sandbox/host/agent-driver";
import { TestHost } from "../../sandbox/host/test-host";
import { USERLANDS } from "../../sandbox/host/userlands";
import { statusCommand } from "../../src/host/agent";
import { tinyImage } from "../../src/verify/image";

let test: TestHost;
afterEach(() => test.stop());

/** A secret in every place where zot takes one, in every form that JSON and zot's loader allow. */
const WITH_SECRETS = `{
  "storage": { "rootDirectory": "/a\\"b", "storageDriver": { "name": "s3", "accesskey": "s3cret-1", "secretkey":
      "s3cret-2" }, "cacheDriver": { "url": "redis://zot:s3cret-3@redis:6379" } },
  "http": { "port": 5000, "auth": {
    "ldap": { "credentialsFile": "/ldap.json", "bindPassword": 314159265, "port": 389 },
    "openid": { "providers": { "oidc": { "clientsecret": ["s3cret-4", "s3cret-5"], "tokenURL": "https://kept", "scopes": ["openid"] } } } } },
  "extensions": { "events": { "sinks": [
    { "type": "http", "headers": { "X-Key": "s3cret-6", "n": { "deep": "s3cret-7" } }, "after": "kept" },
    { "credentials": { "username": "s3cret-8", "password": "s3cret\\"-9" }, "type": "kept" } ] } },
  "pass\\u0077ord": "s3cret-10", "log": { "output": "kept" }
}
`;

describe.each(USERLANDS)("before the first hardening, with $name", (userland) => {
  beforeEach(async () => {
    test = await TestHost.start(userland.environment);
  });

  it("hands over the configuration that is there, without a secret, until it is hardened", async () => {
    expect(JSON.parse((await test.agent.status()).found ?? "")).toEqual(test.open);
    expect((await test.agent.activate(test.config)).stderr).toBe("");
    expect(await test.agent.status()).toMatchObject({ found: null, trouble: [] });
    await test.agent.call("restore");
    writeFileSync(test.file("config.json"), WITH_SECRETS);
    const { found, trouble } = await test.agent.status();
    expect(found).not.toMatch(/s3cret|314159265/);
    expect(trouble).toEqual([]);
    const blanked = WITH_SECRETS.replace(/"(s3cret|redis:)(\\"|[^"])*"|314159265/g, '"secret://*:*@"');
    const expected = JSON.parse(blanked);
    expect(JSON.parse(found ?? "")).toEqual(expected);
  });

  it("notes down what the open registry shows to anyone, once", async () => {
    const push = (repository: string, tag: string) =>
      pushImage(test.url, repository, tag, tinyImage(`${repository}:${tag}`));
    for (const [repository, tag] of [
      ["team/app", "v1"],
      ["team/app", "v2"],
      ["other", "latest"],
    ] as const)
      expect((await push(repository, tag)).status).toBe(201);
    expect((await test.agent.activate(test.config)).stderr).toBe("");
    const [when, ...tags] = readFileSync(test.file("harden-zot/catalog"), "utf8").split("\n");
    expect(Math.abs(Date.now() / 1000 - Number(/^noted (\d+)$/.exec(when as string)?.[1]))).toBeLessThan(60);
    expect(tags.sort()).toEqual(["", "other\tlatest", "team/app\tv1", "team/app\tv2"]);
    unlinkSync(test.file("harden-zot/catalog"));
    expect((await test.agent.activate(withRule(test.config, "closed/**"))).stderr).toBe("");
    expect(test.names("harden-zot")).not.toContain("catalog");
  });
});

describe("before the first hardening", () => {
  beforeEach(async () => {
    test = await TestHost.start();
  });

  it("says that a configuration is too large to be compared, or empty", async () => {
    for (const text of [`{"log":{"output":"${"x".repeat(262_144)}"}}`, ""]) {
      writeFileSync(test.file("config.json"), text);
      const { found, trouble } = await test.agent.status();
      expect(found).toBeNull();
      expect(trouble).toEqual([expect.stringMatching(/config\.json has more than 262144 bytes or none/)]);
    }
  });

  it("says that the service runs zot with another file, and with which", async () => {
    const other = join(test.directory, "other");
    mkdirSync(other, { mode: 0o700 });
    const ask = async () => {
      const command = statusCommand({ ...test.host, sudo: false, configDirectory: other });
      const { stdout } = await test.agent.run(command, readFileSync("src/host/agent.sh", "utf8"));
      return JSON.parse(stdout).trouble;
    };
    const sentence = `command runs zot with ${test.file("config.json")}, and not with ${other}/config.json: correct the host's configDirectory setting, or have the service run zot serve ${other}/config.json`;
    expect(await ask()).toEqual([sentence]);
    symlinkSync(test.file("config.json"), join(other, "config.json"));
    expect(await ask()).toEqual([
      `${other}/config.json is a symbolic link, which whoever made it would put back: make it a file of its own ${sentence}`,
    ]);
  });

  it("notes down as much as it says, and that there is more", async () => {
    expect((await pushImage(test.url, "many", "v0", tinyImage("one of many"))).status).toBe(201);
    const file = join(test.open.storage.rootDirectory, "many/index.json");
    const { manifests, ...index } = JSON.parse(readFileSync(file, "utf8"));
    const tagged = (number: number) => ({
      ...manifests[0],
      annotations: { "org.opencontainers.image.ref.name": `v${number}` },
    });
    const all = Array.from({ length: 2001 }, (_, number) => tagged(number));
    writeFileSync(file, JSON.stringify({ ...index, manifests: all }));
    // zot 2.1.20 notes each tag down before it answers: 10 s of a start for these.
    expect((await test.agent.activate(test.config, { wait: 120 })).stderr).toBe("");
    const [, ...lines] = readFileSync(test.file("harden-zot/catalog"), "utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(2001);
    expect(lines.filter((line) => line === "more")).toEqual(["more"]);
    expect(lines.at(-1)).toBe("more");
  });
});
