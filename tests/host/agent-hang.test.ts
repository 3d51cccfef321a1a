import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { AgentDriver } from "../../sandbox/host/agent-driver";
import type { SandboxHost } from "../../sandbox/host/host";
import { FakeManagers } from "../../sandbox/host/managers";
import { TestHost } from "../../sandbox/host/test-host";
import { isAlive } from "../../sandbox/process";
import type { ServiceSettings } from "../../src/settings/hosts";

let test: TestHost;
afterEach(() => test.stop());

const SYSTEMD: ServiceSettings = { manager: "systemd", name: "zot", scope: "system" };

/** systemctl whose `restart` never comes back, after doing first what it is told. */
async function hangingManager(first: string): Promise<AgentDriver> {
  test = await TestHost.start();
  const managers = new FakeManagers(test.directory);
  const systemctl = join(managers.directory, "systemctl");
  const hang = `if [ "$1" = restart ]; then ${first}; echo $$ >>${test.directory}/hanging; exec sleep 300; fi\n`;
  const script = readFileSync(systemctl, "utf8");
  const at = script.indexOf('if [ "$1" = show ]');
  writeFileSync(systemctl, script.slice(0, at) + hang + script.slice(at));
  const env = { ...process.env, PATH: `${managers.directory}:${process.env.PATH}` };
  return new AgentDriver({ ...test.host, service: SYSTEMD } as unknown as SandboxHost, { env });
}

const hanging = () => readFileSync(join(test.directory, "hanging"), "utf8").trim().split("\n").map(Number);

it("rolls back when the service manager does not come back from a restart", async () => {
  const agent = await hangingManager(":");
  const pid = test.servedPid();
  const call = await agent.activate(test.config, { wait: 2 });
  expect(call.stderr).toMatch(
    /^harden-zot: the service manager could not restart zot: it did not come back within 2 s; the last good configuration is back and serving\n/,
  );
  expect(call.code).toBe(1);
  expect(test.live()).toEqual(test.open);
  expect(test.servedPid()).toBe(pid);
  expect(await agent.status()).toMatchObject({ applied: null, healthy: true, lock: null, journal: null });
  expect(test.names("harden-zot")).toEqual(["agent.sh", "secrets", "version"]);
  // None is left behind: not the one of the restart, nor the one of the way back.
  expect(hanging()).toHaveLength(2);
  expect(hanging().filter(isAlive)).toEqual([]);
});

it("says so when the manager stopped zot and hangs over the start", async () => {
  const agent = await hangingManager("ctl stop");
  const call = await agent.activate(test.config, { wait: 2 });
  expect(call.stderr).toMatch(/could not restart zot: it did not .* is back but zot does not serve at http:/);
  expect(test.live()).toEqual(test.open);
  expect(await agent.status()).toMatchObject({ service: "stopped", applied: null, lock: null, journal: null });
  // As its operator would, after a look at the manager.
  await test.agent.run(test.host.service.start.join(" "), "");
  expect((await test.agent.activate(test.config)).code).toBe(0);
  expect(await test.anonymousPush()).toBe(401);
});
