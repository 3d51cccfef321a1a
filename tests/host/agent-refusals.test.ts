import { existsSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestHost } from "../../sandbox/host/test-host";
import { serializeConfig } from "../../src/config/render";
import type { ZotConfig } from "../../src/zot/types";

let test: TestHost;
afterEach(() => test.stop());

describe("before the switch", () => {
  beforeEach(async () => {
    test = await TestHost.start();
  });

  const refused = async (change: ZotConfig, reason: RegExp, options = {}) => {
    const before = [readFileSync(test.file("config.json"), "utf8"), await test.servedPid()];
    const call = await test.agent.activate(change, options);
    expect(call.stderr).toMatch(reason);
    expect(call.stderr).toMatch(/; nothing was changed\n$/);
    expect(call).toMatchObject({ code: 1, stdout: "" });
    expect([readFileSync(test.file("config.json"), "utf8"), await test.servedPid()]).toEqual(before);
    expect(test.names("harden-zot")).toEqual(["agent.sh", "secrets", "version"]);
    return call;
  };

  it("refuses what zot verify refuses, with zot's own reason", async () => {
    const unknown = { ...test.config, http: { ...test.config.http, accesscontrols: { a: 1 } } } as ZotConfig;
    await refused(
      unknown,
      /zot 2\.\d+\.\d+ refuses the new config\.json \(zot verify\): .*invalid keys: accesscontrols/,
    );
  });

  it("refuses what is no JSON, and nothing at all", async () => {
    for (const text of ["", "{", "registry: zot\n"]) {
      const call = await test.agent.call("activate", { restart: "x" }, text);
      expect(call.stderr).toMatch(/names no http\.port, or is not JSON; nothing was changed/);
    }
  });

  it("refuses a zot that is older than the configuration needs", () =>
    refused(test.config, /is zot 2\.\d+\.\d+, and this configuration needs 3\.0\.0 or newer/, { minimum: "3.0.0" }));

  it("takes a zot of exactly the version that is needed", async () => {
    const { zot } = await test.agent.status();
    expect((await test.agent.activate(test.config, { minimum: zot as string })).code).toBe(0);
  });

  it("refuses where there is no zot, or something else", async () => {
    await test.agent.status();
    const { zot } = test.host;
    Object.assign(test.host, { zot: `${zot}-gone` });
    await refused(
      test.config,
      /there is no zot to run at \S+-gone: install it there, or correct the host's zot setting/,
    );
    writeFileSync(`${zot}-other`, "#!/bin/sh\necho hello\n", { mode: 0o755 });
    Object.assign(test.host, { zot: `${zot}-other` });
    await refused(test.config, /--version did not say a version: is it zot, built for this machine\?/);
  });

  it("refuses a configuration whose secret file is not there", async () => {
    await test.agent.status();
    unlinkSync(test.config.http.auth?.openid?.providers.oidc?.credentialsFile as string);
    await refused(test.config, /where secrets\/oidc-credentials-\w{12}\.json is gone: it has to be written again/);
  });

  it("refuses a port that somebody else has", async () => {
    const other = await listen();
    const port = (other.address() as { port: number }).port;
    const moved = { ...test.config, http: { ...test.config.http, port: String(port) } };
    await refused(moved, new RegExp(`port ${port} is answered by another process`));
    other.close();
    expect((await test.agent.activate(moved)).code).toBe(0);
  });

  it("refuses to start a stopped zot where somebody else answers on its port", async () => {
    await test.stopService();
    const other = await listen(Number(test.open.http.port));
    const call = await test.agent.activate(test.config);
    other.close();
    expect(call).toMatchObject({ code: 1, stdout: "" });
    expect(call.stderr).toMatch(/port \d+ is answered by another process than the service/);
    expect(test.live()).toEqual(test.open);
  });

  it("refuses a service that runs from another configuration", async () => {
    unlinkSync(test.file("config.json"));
    const call = await test.agent.activate(test.config);
    expect(call.stderr).toMatch(/runs, but not from \S+config\.json, which is not there: correct .* configDirectory/);
    expect(existsSync(test.file("config.json"))).toBe(false);
  });
});

async function listen(port = 0): Promise<Server> {
  const server = createServer((socket) => socket.end("HTTP/1.0 200 OK\r\n\r\n")).listen(port, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  return server;
}

describe("a zot that does not come up", () => {
  beforeEach(async () => {
    test = await TestHost.start();
  });

  // Below a file; zot verify does not try it.
  const broken = (from: ZotConfig): ZotConfig => ({
    ...from,
    storage: { rootDirectory: join(test.host.zot, "no-such-directory") },
  });

  it("is rolled back to the open configuration by a first hardening, which leaves no trace", async () => {
    const call = await test.agent.activate(broken(test.config));
    expect(call).toMatchObject({ code: 1, stdout: "" });
    expect(call.stderr).toMatch(
      /^harden-zot: zot 2\.\d+\.\d+ did not come up with the new configuration.*; the last good configuration is back and serving\n {2}zot: /,
    );
    expect(call.stderr).not.toContain("a-secret-nobody-may-see");
    expect(readFileSync(test.file("config.json"), "utf8")).toBe(serializeConfig(test.open));
    expect(await test.anonymousPush()).toBe(202);
    expect(await test.agent.status()).toMatchObject({ applied: null, journal: null, lock: null });
    expect((await test.agent.activate(test.config)).code).toBe(0);
    await test.agent.call("restore");
    expect(test.live()).toEqual(test.open);
  });

  it("is rolled back to the hardened configuration, still the one on record", async () => {
    await test.agent.activate(test.config);
    const call = await test.agent.activate(broken(test.config));
    expect(call.stderr).toMatch(/the last good configuration is back and serving/);
    expect(test.live()).toEqual(test.config);
    expect(await test.anonymousPush()).toBe(401);
    expect(await test.agent.status()).toMatchObject({ drift: [], healthy: true, journal: null, lock: null });
    expect(JSON.parse((await test.agent.activate(test.config)).stdout)).toMatchObject({ action: "unchanged" });
  });

  it("is stopped again where it was stopped", async () => {
    await test.stopService();
    const call = await test.agent.activate(broken(test.config));
    expect(call.stderr).toMatch(/the configuration from before is back; zot was not serving then either/);
    expect(test.live()).toEqual(test.open);
    expect(await test.agent.status()).toMatchObject({ service: "stopped" });
  });
});
