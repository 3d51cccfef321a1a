import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  AgentDriver,
  hardened,
  openConfig,
  startIssuer,
  type TestIssuer,
  withRealm,
  withRule,
} from "../../sandbox/host/agent-driver";
import { type SandboxHost, startHost } from "../../sandbox/host/host";
import { type Systemd, startSystemd, systemdUnavailable } from "../../sandbox/host/systemd";
import { findZot } from "../../sandbox/parts";
import { freePort, waitForHttp } from "../../sandbox/process";
import { serializeConfig } from "../../src/config/render";
import type { ZotConfig } from "../../src/zot/types";

const unavailable = systemdUnavailable();
if (unavailable) console.warn(`no real systemd here: ${unavailable}`);

describe.skipIf(unavailable).each(["system", "user"] as const)("a real systemd, %s unit", (scope) => {
  let directory: string;
  let host: SandboxHost;
  let systemd: Systemd;
  let issuer: TestIssuer;
  let agent: AgentDriver;
  let open: ZotConfig;
  let config: ZotConfig;

  const configFile = () => join(host.configDirectory, "config.json");
  const state = (property: string) => systemd.systemctl(scope, "show", "--value", "-p", property, "zot").trim();
  const until = async (property: string, value: string) => {
    for (let waited = 0; waited < 20_000 && state(property) !== value; waited += 50) await sleep(50);
    expect(state(property)).toBe(value);
  };

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "harden-zot-systemd-"));
    issuer = await startIssuer();
    host = await startHost({ directory, zot: findZot().where });
    open = openConfig(directory, await freePort());
    writeFileSync(configFile(), serializeConfig(open));
    systemd = await startSystemd(directory, [host.zot, "serve", configFile()]);
    systemd.systemctl(scope, "start", "zot");
    await waitForHttp(`http://127.0.0.1:${open.http.port}/readyz`);
    const service = { manager: "systemd", name: "zot", scope };
    agent = new AgentDriver({ ...host, service } as unknown as SandboxHost, { shell: [...systemd.inside, "sh"] });
    await agent.install();
    const secret = '{"clientid":"a","clientsecret":"b"}';
    const { stdout } = await agent.call("put-secret", { name: "oidc-credentials" }, secret);
    config = hardened(open, issuer.url, stdout.trim());
  });
  afterEach(async () => {
    await systemd?.stop();
    host?.stop();
    issuer.close();
    rmSync(directory, { recursive: true });
  });

  it("is restarted, reloaded, and rolled back out of a crash loop with zot's last errors", async () => {
    const before = state("MainPID");
    expect(await agent.activate(config)).toMatchObject({ code: 0, stdout: expect.stringContaining("restarted") });
    const running = state("MainPID");
    expect(running).not.toBe(before);
    expect(await agent.status()).toMatchObject({ service: "running", healthy: true, guarded: true, drift: [] });

    const rule = withRule(config, "private/**");
    expect(await agent.activate(rule)).toMatchObject({ code: 0, stdout: expect.stringContaining("reloaded") });
    expect(state("MainPID")).toBe(running);

    const broken = await agent.activate({ ...rule, storage: { rootDirectory: join(host.zot, "no-such-directory") } });
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(/the last good configuration is back and serving\n {2}zot: .*no-such-directory/);
    expect(await agent.status()).toMatchObject({ service: "running", healthy: true, drift: [] });

    expect(await agent.call("restore")).toMatchObject({ code: 0 });
    expect(await agent.status()).toMatchObject({ service: "running", healthy: true, applied: null, guarded: false });
  });

  it("starts again after its start limit, which systemd alone would not do", async () => {
    expect(await agent.activate(config)).toMatchObject({ code: 0 });
    writeFileSync(configFile(), "{}");
    systemd.systemctl(scope, "restart", "zot");
    await until("ActiveState", "failed");
    const { drift } = await agent.status();
    expect(drift).toEqual(["config.json was edited", "the service is not running"]);
    const started = state("ExecMainStartTimestampMonotonic");
    expect(() => systemd.systemctl(scope, "start", "zot")).toThrow(/Job for zot.service failed/);
    expect(state("ExecMainStartTimestampMonotonic")).toBe(started);

    expect(await agent.activate(config)).toMatchObject({ code: 0, stdout: expect.stringContaining("restarted") });
    expect(await agent.status()).toMatchObject({ service: "running", healthy: true, drift: [] });
  });

  it("is stopped and started, and a unit it does not know is named", async () => {
    systemd.systemctl(scope, "stop", "zot");
    expect(await agent.status()).toMatchObject({ service: "stopped", healthy: false });
    expect(await agent.activate(config)).toMatchObject({ code: 0 });
    systemd.systemctl(scope, "stop", "zot");
    expect((await agent.status()).drift).toEqual(["the service is not running"]);
    expect(await agent.activate(withRealm(config, "next"), { heal: 1 })).toMatchObject({ code: 0 });
    expect(await agent.status()).toMatchObject({ service: "running", healthy: true, drift: [] });

    const other = { ...host, service: { manager: "systemd", name: "zto", scope } } as unknown as SandboxHost;
    const lost = new AgentDriver(other, agent.environment);
    expect((await lost.activate(withRealm(config, "other"))).stderr).toMatch(
      /the service manager does not know zto \(service=systemd\S*:zto\): .*; nothing was changed\n$/,
    );
  });
});
