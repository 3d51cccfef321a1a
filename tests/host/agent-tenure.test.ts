import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CREDENTIALS, TestHost } from "../../sandbox/host/test-host";
import { serializeConfig } from "../../src/config/render";
import type { AgentOptions } from "../../src/host/agent";
import { readOnly } from "../../src/host/read-only";
import type { ZotConfig } from "../../src/zot/types";

const FIRST = { owner: "prod:0123456789ab", life: "aaaaaaaaaaaa" };
const SECOND = { owner: "prod:0123456789ab", life: "bbbbbbbbbbbb" };
const STRANGER = { owner: "test:ba9876543210", life: "cccccccccccc" };

/** One life of a host, in order: hardened at first, by the first tenure. */
describe("the agent and whose the host is", () => {
  let test: TestHost;
  let open: string;

  beforeAll(async () => {
    test = await TestHost.start();
    open = live();
    expect(await test.agent.call("claim", FIRST)).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await test.agent.activate(test.config, FIRST)).toMatchObject({ code: 0 });
  });
  afterAll(() => test?.stop());

  const live = () => readFileSync(test.file("config.json"), "utf8");
  const expectHardened = async () => {
    expect(await test.anonymousPush()).toBe(401);
    expect((await test.agent.status()).drift).toEqual([]);
  };
  const withRealm = (realm: string): ZotConfig => ({ ...test.config, http: { ...test.config.http, realm } });
  const leaves = (verb: string, asked: string, holder: AgentOptions = FIRST) =>
    `harden-zot: this registry is delivered by ${holder.owner} (life ${holder.life}) and stays as it is; ${verb} was for ${asked}, which was replaced, renamed or taken over\n`;

  it("says so in its status", async () => {
    expect(await test.agent.status()).toMatchObject({ ...FIRST, original: "yes", guarded: true });
  });

  it.each(["claim", "activate"] as const)(
    "%s of another owner is refused by a sentence that names both",
    async (verb) => {
      const before = live();
      const call =
        verb === "claim" ? test.agent.call(verb, STRANGER) : test.agent.activate(withRealm("stranger"), STRANGER);
      expect(await call).toMatchObject({
        code: 1,
        stderr: `harden-zot: this registry is delivered by ${FIRST.owner}, and this run is of ${STRANGER.owner}: deliver to it from there, or take it over with the host's setting takeOver: ${FIRST.owner}; nothing was changed\n`,
      });
      expect(live()).toBe(before);
      await expectHardened();
    },
  );

  it("an activation that gives no owner, as of an older program, is refused too", async () => {
    expect(await test.agent.activate(withRealm("older"))).toMatchObject({ code: 1 });
    await expectHardened();
  });

  it.each(["restore", "uninstall"] as const)(
    "%s leaves alone what is another's: of another owner, of an older state",
    async (verb) => {
      expect(await test.agent.call(verb, STRANGER)).toMatchObject({
        ...{ code: 0, stdout: "" },
        stderr: leaves(verb, `${STRANGER.owner} (life ${STRANGER.life})`),
      });
      expect(await test.agent.call(verb)).toMatchObject({ code: 0, stderr: leaves(verb, "no owner (life none)") });
      await expectHardened();
    },
  );

  it("the end of a replaced life leaves its successor alone, however often it is tried", async () => {
    expect(await test.agent.call("claim", SECOND)).toMatchObject({ code: 0 });
    for (const verb of ["restore", "close", "uninstall", "restore"] as const) {
      const stderr = leaves(verb, `${FIRST.owner} (life ${FIRST.life})`, SECOND);
      expect(await test.agent.call(verb, FIRST)).toMatchObject({ code: 0, stdout: "", stderr });
    }
    await expectHardened();
    expect(await test.agent.call("claim", FIRST)).toMatchObject({ code: 0 });
  });

  it.each([
    ["empty", 0],
    ["cut in its first line", 20],
  ])("a record that is %s is said, healed, and the original stays what it was", async (_, length) => {
    truncateSync(test.file("harden-zot/record"), length);
    const { drift } = await test.agent.status();
    expect(drift).not.toEqual([]);
    expect(await test.agent.activate(test.config, { ...FIRST, heal: 1 })).toMatchObject({ code: 0 });
    expect(readFileSync(test.file("harden-zot/original.json"), "utf8")).toBe(open);
    await expectHardened();
  });

  it("a record of a newer agent, with lines that this one does not know, is read all the same", async () => {
    const record = test.file("harden-zot/record");
    writeFileSync(record, `${readFileSync(record, "utf8")}confirmed=12:04\n`);
    await expectHardened();
  });

  it("is taken over by the owner that names the one before, and its first life ends nothing any more", async () => {
    expect(await test.agent.call("claim", { ...STRANGER, takeover: FIRST.owner })).toMatchObject({ code: 0 });
    expect(await test.agent.call("restore", { ...FIRST, last: "yes" })).toMatchObject({ code: 0, stdout: "" });
    await expectHardened();
    expect(await test.agent.call("claim", { ...FIRST, takeover: STRANGER.owner })).toMatchObject({ code: 0 });
  });

  describe("a directory that was lost", () => {
    beforeAll(async () => {
      rmSync(test.file("harden-zot"), { recursive: true });
      expect(await test.agent.install()).toMatchObject({ code: 0 });
      await test.agent.call("put-secret", { name: "oidc-credentials" }, CREDENTIALS);
      expect(await test.agent.activate(test.config, FIRST)).toMatchObject({ code: 0 });
    });

    it("makes no hardened configuration the original", async () => {
      expect(await test.agent.status()).toMatchObject({ original: "lost", drift: [] });
      expect(existsSync(test.file("harden-zot/original.json"))).toBe(false);
    });

    it("has restore refuse, and go back to what is given by hand", async () => {
      expect(await test.agent.call("restore", FIRST)).toMatchObject({
        code: 1,
        stderr: `harden-zot: the configuration from before the first hardening is lost (${test.file("harden-zot/original.json")}): put the one that zot shall go back to there and run again, or set the host's farewell: read-only; nothing was changed\n`,
      });
      await expectHardened();
      writeFileSync(test.file("harden-zot/original.json"), open);
      expect(await test.agent.call("restore", FIRST)).toMatchObject({ code: 0 });
      expect(live()).toBe(open);
      expect(await test.anonymousPush()).toBe(202);
    });

    it("is hardened again from there", async () => {
      await test.agent.call("put-secret", { name: "oidc-credentials" }, CREDENTIALS);
      expect(await test.agent.activate(test.config, FIRST)).toMatchObject({ code: 0 });
      expect(await test.agent.status()).toMatchObject({ original: "yes" });
    });
  });

  it("close: what was readable stays so, nobody pushes, and the configuration from before is kept for later", async () => {
    const closed = serializeConfig(readOnly(test.config));
    expect(await test.agent.call("close", { ...FIRST, wait: 20 }, closed)).toMatchObject({ code: 0, stderr: "" });
    expect(await test.agent.call("uninstall", FIRST)).toMatchObject({ code: 0 });
    expect(live()).toBe(closed);
    expect(await test.anonymousPush()).toBe(401);
    expect((await fetch(`${test.url}/v2/_catalog`)).status).toBe(200);
    expect(test.names("harden-zot")).toEqual(["original.json"]);
    expect(readFileSync(test.file("harden-zot/original.json"), "utf8")).toBe(open);
  });

  it("the end of an earlier life of the same owner is the end when it is the last", async () => {
    await test.agent.install();
    await test.agent.call("put-secret", { name: "oidc-credentials" }, CREDENTIALS);
    expect(await test.agent.activate(test.config, SECOND)).toMatchObject({ code: 0 });
    expect(await test.agent.call("restore", { ...FIRST, last: "yes" })).toMatchObject({ code: 0, stderr: "" });
    expect(live()).toBe(open);
    expect(await test.agent.call("uninstall", { ...FIRST, last: "yes" })).toMatchObject({ code: 0 });
    expect(existsSync(test.file("harden-zot"))).toBe(false);
  });
});

/** What is left of a first run that was cut off, or of a file that was cut or edited. */
describe("the agent and a record that is not whole", () => {
  let test: TestHost;
  beforeAll(async () => {
    test = await TestHost.start();
  });
  afterAll(() => test?.stop());

  it("a claim that no configuration followed holds nobody off; one that was delivered by does", async () => {
    expect(await test.agent.call("claim", STRANGER)).toMatchObject({ code: 0 });
    expect(await test.agent.call("claim", FIRST)).toMatchObject({ code: 0, stderr: "" });
    expect(await test.agent.status()).toMatchObject({ ...FIRST, applied: null, original: null });
    expect(await test.agent.activate(test.config, STRANGER)).toMatchObject({ code: 1 });
    expect(await test.anonymousPush()).toBe(202);
    expect(await test.agent.activate(test.config, FIRST)).toMatchObject({ code: 0 });
    expect(await test.agent.call("claim", STRANGER)).toMatchObject({ code: 1 });
  });

  it.each([
    ["record", "heal=\n", { heal: 0 }],
    ["record", "heal=08\n", { heal: 0 }],
    ["record", "heal=a\n", { heal: 0 }],
    ["tenure", `owner=${FIRST.owner}\r\nlife=${FIRST.life}\r\n`, FIRST],
    ["tenure", 'owner=a"b\\c\nlife=x\n', { owner: 'a"b\\c', life: "x" }],
  ])("%s %j is told as JSON all the same", async (name, text, told) => {
    const path = test.file(`harden-zot/${name}`);
    const whole = readFileSync(path, "utf8");
    writeFileSync(path, name === "record" ? whole.replace(/heal=.*\n/, text) : text);
    expect(await test.agent.status()).toMatchObject(told);
    writeFileSync(path, whole);
  });
});
