import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withRealm, withRule } from "../../sandbox/host/agent-driver";
import { RequestLoop } from "../../sandbox/host/request-loop";
import { TestHost } from "../../sandbox/host/test-host";
import { USERLANDS } from "../../sandbox/host/userlands";
import { withoutProof, withProof } from "../../src/config/proof";
import type { ZotConfig } from "../../src/zot/types";

let test: TestHost;
afterEach(() => test.stop());

const activated = async (config: ZotConfig) => {
  const call = await test.agent.activate(config);
  expect(call.code, call.stderr).toBe(0);
  return { ...(JSON.parse(call.stdout) as { action: string }), said: call.stderr };
};

/** What an anonymous client is told of the repository that proves the configuration. */
const proofOf = async (config: ZotConfig) => {
  const [name] = Object.keys(config.http.accessControl?.repositories ?? {}).filter((key) => key.includes("/proof-"));
  return (await fetch(`${test.url}/v2/${name}/tags/list`)).status;
};

/** zot loses sight of a file that another is renamed over, whatever is in it. */
function loseTheWatch(): void {
  copyFileSync(test.file("config.json"), test.file("config.copy"));
  renameSync(test.file("config.copy"), test.file("config.json"));
}

describe("a change of the access rules", () => {
  beforeEach(async () => {
    test = await TestHost.start();
    await test.agent.activate(test.config);
  });

  it("is proved in force, twenty times in a row, without one failed request", async () => {
    const loop = new RequestLoop(`${test.url}/v2/`);
    const pid = test.servedPid();
    for (let change = 1; change <= 20; change++) {
      const next = withRule(test.config, `team-${change}/**`);
      expect(await proofOf(next)).toBe(401);
      expect(await activated(next)).toMatchObject({ action: "reloaded", said: "" });
      expect(await proofOf(next)).toBe(404);
    }
    expect(test.servedPid()).toBe(pid);
    expect(await loop.stop()).toMatchObject({ failed: 0, window: 0 });
  });

  it("is restarted for when zot does not see the file any more", async () => {
    loseTheWatch();
    const pid = test.servedPid();
    const next = withRule(test.config, "team/**");
    expect(await activated(next)).toMatchObject({
      action: "restarted",
      said: expect.stringMatching(
        /^harden-zot: zot \S+ did not take up the new configuration by a reload: it is restart/,
      ),
    });
    expect(test.servedPid()).not.toBe(pid);
    expect(await proofOf(next)).toBe(404);
    expect(await test.agent.status()).toMatchObject({ drift: [], healthy: true, journal: null, lock: null });
    // The zot that was started again sees its file.
    expect(await activated(test.config)).toMatchObject({ action: "reloaded", said: "" });
  });

  it("is rolled back when the reload is not seen and the restart does not come up", async () => {
    loseTheWatch();
    test.issuer.claims = test.issuer.url;
    const script = readFileSync(test.host.zot, "utf8");
    const broken = script.replace("PATH=", 'case "$*" in serve*) grep -q team/ "$2" && exit 1 ;; esac\nPATH=');
    // The zot on disk stays the one on record, as far as its size and time tell.
    await test.agent.activate(test.config);
    writeFileSync(test.host.zot, broken);
    const call = await test.agent.activate(withRule(test.config, "team/**"));
    expect(call.stderr).toMatch(
      /did not come up with the new configuration.*; the last good configuration is back and/,
    );
    expect(call).toMatchObject({ code: 1, stdout: "" });
    expect(test.live()).toEqual(test.config);
    expect(await proofOf(test.config)).toBe(404);
  });

  it("is restarted for when the question is answered alike before", async () => {
    // A rule from elsewhere already lets everybody ask for the repository that is to prove the next configuration.
    const next = withRule(test.config, "team/**");
    const [, id] = JSON.stringify(next).match(/harden-zot\/proof-(\w+)/) ?? [];
    const { http, ...rest } = structuredClone(test.config);
    Object.assign(http.accessControl?.repositories ?? {}, {
      [`harden-zot/proof-${id}`]: { anonymousPolicy: ["read"] },
    });
    expect(await activated({ ...rest, http })).toMatchObject({ action: "reloaded" });
    expect(await proofOf(next)).toBe(404);
    expect(await activated(next)).toMatchObject({ action: "restarted", said: "" });
  });

  it("is restarted for when the configuration has no proof", async () => {
    expect(await activated(withoutProof(withRule(test.config, "team/**")))).toMatchObject({ action: "restarted" });
  });

  it("waits out a zot that refuses slowly", async () => {
    const slow = structuredClone(withoutProof(test.config));
    Object.assign(slow.http.auth ?? {}, { failDelay: 2 });
    expect(await activated(withProof(slow))).toMatchObject({ action: "restarted" });
    expect(await activated(withRule(slow, "team/**"))).toMatchObject({ action: "reloaded", said: "" });
  });
});

it("notices a service that zot runs from another file", async () => {
  test = await TestHost.start();
  copyFileSync(test.file("config.json"), test.file("other.json"));
  const control = join(test.directory, "zotctl.sh");
  writeFileSync(control, readFileSync(control, "utf8").replaceAll("config/config.json", "config/other.json"));
  const call = await test.agent.activate(test.config);
  expect(call.stderr).toMatch(/serves another configuration: does command run it with \S+config\.json\?; /);
  expect(call.code).toBe(1);
  expect(test.live()).toEqual(test.open);
});

it.each(USERLANDS.slice(1))("proves and misses a reload with $name", async ({ environment }) => {
  test = await TestHost.start(environment);
  await test.agent.activate(test.config);
  expect(await activated(withRule(test.config, "team/**"))).toMatchObject({ action: "reloaded", said: "" });
  loseTheWatch();
  expect(await activated(test.config)).toMatchObject({ action: "restarted" });
  expect(await activated(withRealm(test.config, "hall"))).toMatchObject({ action: "restarted", said: "" });
});
