import { spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
import { USERLANDS, type Userland } from "../../sandbox/host/userlands";
import { findZot } from "../../sandbox/parts";
import { freePort, waitForHttp } from "../../sandbox/process";
import { serializeConfig } from "../zot/config";
import type { ZotConfig } from "../zot/types";

const CREDENTIALS = '{"clientid":"zot","clientsecret":"a-secret-nobody-may-see"}';

let directory: string;
let issuer: TestIssuer;
let host: SandboxHost;
let agent: AgentDriver;
let open: ZotConfig;
let config: ZotConfig;
let url: string;

async function setUp(userland = USERLANDS[0] as Userland): Promise<void> {
  directory = mkdtempSync(join(tmpdir(), "harden-zot-host-"));
  issuer = await startIssuer();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  open = openConfig(directory, port);
  host = await startHost({ directory, zot: findZot().where, config: serializeConfig(open) });
  const tools = join(directory, "tools");
  mkdirSync(tools);
  agent = new AgentDriver(host, userland.environment(tools));
  expect(await agent.install()).toMatchObject({ code: 0, stderr: "" });
  await waitForHttp(`${url}/readyz`);
  const { stdout } = await agent.call("put-secret", { name: "oidc-credentials" }, CREDENTIALS);
  config = hardened(open, issuer.url, stdout.trim());
}

afterEach(() => {
  host.stop();
  issuer.close();
  rmSync(directory, { recursive: true });
});

const file = (name: string) => join(host.configDirectory, name);
const live = () => JSON.parse(readFileSync(file("config.json"), "utf8"));
const mode = (name: string) => statSync(file(name)).mode & 0o777;
const anonymousPush = async () => (await fetch(`${url}/v2/apps/web/blobs/uploads/`, { method: "POST" })).status;
const servedPid = async () => readFileSync(join(directory, "zot.pid"), "utf8");

describe.each(USERLANDS)("with $name", (userland) => {
  beforeEach(() => setUp(userland));

  it("hardens, reloads what can be reloaded, restarts for the rest, and gives everything back", async () => {
    expect(await anonymousPush()).toBe(202);

    expect(JSON.parse((await agent.activate(config)).stdout)).toMatchObject({ action: "restarted" });
    expect(await anonymousPush()).toBe(401);
    expect(await agent.status()).toMatchObject({ guarded: true, healthy: true, drift: [], journal: null, lock: null });

    const pid = await servedPid();
    expect(JSON.parse((await agent.activate(config)).stdout)).toMatchObject({ action: "unchanged" });
    const closed = withRule(config, "a-closed-namespace-with-a-long-name/**");
    expect(JSON.parse((await agent.activate(closed)).stdout)).toMatchObject({ action: "reloaded" });
    expect(live()).toEqual(closed);
    // Shorter than what it is written over.
    expect(JSON.parse((await agent.activate(config)).stdout)).toMatchObject({ action: "reloaded" });
    expect(live()).toEqual(config);
    expect(await servedPid()).toBe(pid);
    expect(JSON.parse((await agent.activate(config)).stdout)).toMatchObject({ action: "unchanged" });

    expect(JSON.parse((await agent.activate(withRealm(config, "hall"))).stdout)).toMatchObject({ action: "restarted" });
    expect((await fetch(`${url}/v2/`)).headers.get("www-authenticate")).toContain("hall");

    expect(JSON.parse((await agent.call("restore")).stdout)).toMatchObject({ action: "restarted" });
    expect(readFileSync(file("config.json"), "utf8")).toBe(serializeConfig(open));
    expect(await anonymousPush()).toBe(202);
    expect(JSON.parse((await agent.call("restore")).stdout)).toMatchObject({ action: "unchanged" });
    expect(readdirSync(file("harden-zot"))).toEqual(["agent.sh"]);
    expect((await agent.call("uninstall")).code).toBe(0);
    expect(readdirSync(host.configDirectory)).toEqual(["config.json"]);
  });

  it("refuses an issuer that is down or calls itself otherwise, and touches nothing", async () => {
    await agent.activate(config);
    const pid = await servedPid();
    issuer.claims = issuer.url.replace(/\/$/, "");
    const mismatch = await agent.activate(withRealm(config, "new"));
    expect(mismatch).toMatchObject({ code: 1, stdout: "" });
    expect(mismatch.stderr).toBe(
      `harden-zot: the OIDC issuer calls itself '${issuer.claims}' and the new config.json calls it '${issuer.url}'; zot compares them byte for byte and would not start; nothing was changed\n`,
    );
    issuer.close();
    const down = await agent.activate(withRealm(config, "new"));
    expect(down.stderr).toMatch(
      /^harden-zot: the OIDC issuer \S+ cannot be discovered from this host \(.*refused.*\); .*nothing was changed\n$|Couldn't connect/i,
    );
    expect(down.code).toBe(1);
    expect(live()).toEqual(config);
    expect(await servedPid()).toBe(pid);
    expect(await agent.status()).toMatchObject({ drift: [], journal: null, lock: null });
  });
});

describe("before the switch", () => {
  beforeEach(() => setUp());

  const refused = async (change: ZotConfig, reason: RegExp, options = {}) => {
    const before = [readFileSync(file("config.json"), "utf8"), await servedPid()];
    const call = await agent.activate(change, options);
    expect(call.stderr).toMatch(reason);
    expect(call.stderr).toMatch(/; nothing was changed\n$/);
    expect(call).toMatchObject({ code: 1, stdout: "" });
    expect([readFileSync(file("config.json"), "utf8"), await servedPid()]).toEqual(before);
    expect(readdirSync(file("harden-zot")).sort()).toEqual(["agent.sh", "secrets", "version"]);
    return call;
  };

  it("refuses what zot verify refuses, with zot's own reason", async () => {
    const unknown = { ...config, http: { ...config.http, accesscontrols: { a: 1 } } } as ZotConfig;
    await refused(
      unknown,
      /zot 2\.\d+\.\d+ refuses the new config\.json \(zot verify\): .*invalid keys: accesscontrols/,
    );
  });

  it("refuses what is no JSON, and nothing at all", async () => {
    for (const text of ["", "{", "registry: zot\n"]) {
      const call = await agent.call("activate", { restart: "x" }, text);
      expect(call.stderr).toMatch(/names no http\.port, or is not JSON; nothing was changed/);
    }
  });

  it("refuses a zot that is older than the configuration needs", () =>
    refused(config, /is zot 2\.\d+\.\d+, and this configuration needs 3\.0\.0 or newer/, { minimum: "3.0.0" }));

  it("takes a zot of exactly the version that is needed", async () => {
    const { zot } = await agent.status();
    expect((await agent.activate(config, { minimum: zot as string })).code).toBe(0);
  });

  it("refuses where there is no zot, or something else", async () => {
    await agent.status();
    const { zot } = host;
    Object.assign(host, { zot: `${zot}-gone` });
    await refused(config, /there is no zot to run at \S+-gone: install it there, or correct the host's zot setting/);
    writeFileSync(`${zot}-other`, "#!/bin/sh\necho hello\n", { mode: 0o755 });
    Object.assign(host, { zot: `${zot}-other` });
    await refused(config, /--version did not say a version: is it zot, built for this machine\?/);
  });

  it("refuses a configuration whose secret file is not there", async () => {
    await agent.status();
    unlinkSync(config.http.auth?.openid?.providers.oidc?.credentialsFile as string);
    await refused(config, /where secrets\/oidc-credentials-\w{12}\.json is gone: it has to be written again/);
  });

  it("refuses a port that somebody else has", async () => {
    const other = await listen();
    const port = (other.address() as { port: number }).port;
    const moved = { ...config, http: { ...config.http, port: String(port) } };
    await refused(moved, new RegExp(`port ${port} is answered by another process`));
    other.close();
    expect((await agent.activate(moved)).code).toBe(0);
  });

  it("refuses to start a stopped zot where somebody else answers on its port", async () => {
    await agent.run(host.service.stop.join(" "), "");
    const other = await listen(Number(open.http.port));
    const call = await agent.activate(config);
    other.close();
    expect(call).toMatchObject({ code: 1, stdout: "" });
    expect(call.stderr).toMatch(/port \d+ is answered by another process than the service/);
    expect(live()).toEqual(open);
  });

  it("refuses a service that runs from another configuration", async () => {
    unlinkSync(file("config.json"));
    const call = await agent.activate(config);
    expect(call.stderr).toMatch(/runs, but not from \S+config\.json, which is not there: correct .* configDirectory/);
    expect(existsSync(file("config.json"))).toBe(false);
  });
});

async function listen(port = 0): Promise<Server> {
  const server = createServer((socket) => socket.end("HTTP/1.0 200 OK\r\n\r\n")).listen(port, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  return server;
}

describe("a zot that does not come up", () => {
  beforeEach(() => setUp());

  // Below a file; zot verify does not try it.
  const broken = (from: ZotConfig): ZotConfig => ({
    ...from,
    storage: { rootDirectory: join(host.zot, "no-such-directory") },
  });

  it("is rolled back to the open configuration by a first hardening, which leaves no trace", async () => {
    const call = await agent.activate(broken(config));
    expect(call).toMatchObject({ code: 1, stdout: "" });
    expect(call.stderr).toMatch(
      /^harden-zot: zot 2\.\d+\.\d+ did not come up with the new configuration.*; the last good configuration is back and serving\n {2}zot: /,
    );
    expect(call.stderr).not.toContain("a-secret-nobody-may-see");
    expect(readFileSync(file("config.json"), "utf8")).toBe(serializeConfig(open));
    expect(await anonymousPush()).toBe(202);
    expect(await agent.status()).toMatchObject({ applied: null, journal: null, lock: null });
    expect((await agent.activate(config)).code).toBe(0);
    await agent.call("restore");
    expect(live()).toEqual(open);
  });

  it("is rolled back to the hardened configuration, still the one on record", async () => {
    await agent.activate(config);
    const call = await agent.activate(broken(config));
    expect(call.stderr).toMatch(/the last good configuration is back and serving/);
    expect(live()).toEqual(config);
    expect(await anonymousPush()).toBe(401);
    expect(await agent.status()).toMatchObject({ drift: [], healthy: true, journal: null, lock: null });
    expect(JSON.parse((await agent.activate(config)).stdout)).toMatchObject({ action: "unchanged" });
  });

  it("is stopped again where it was stopped", async () => {
    await agent.run(host.service.stop.join(" "), "");
    const call = await agent.activate(broken(config));
    expect(call.stderr).toMatch(/the configuration from before is back; zot was not serving then either/);
    expect(live()).toEqual(open);
    expect(await agent.status()).toMatchObject({ service: "stopped" });
  });
});

describe("a host as it may be found", () => {
  beforeEach(() => setUp());

  it("starts a stopped zot", async () => {
    await agent.run(host.service.stop.join(" "), "");
    expect(JSON.parse((await agent.activate(config)).stdout)).toMatchObject({ action: "restarted" });
    expect(await anonymousPush()).toBe(401);
  });

  it("hardens a zot that never had a configuration, and leaves none on restore", async () => {
    await agent.run(host.service.stop.join(" "), "");
    unlinkSync(file("config.json"));
    expect((await agent.activate(config)).code).toBe(0);
    expect(mode("config.json")).toBe(0o600);
    expect(JSON.parse((await agent.call("restore")).stdout)).toEqual({ sha256: "", action: "stopped", zot: "" });
    expect(existsSync(file("config.json"))).toBe(false);
    expect(readdirSync(file("harden-zot"))).toEqual(["agent.sh"]);
  });

  it("keeps the mode of config.json, but for others' right to write", async () => {
    chmodSync(file("config.json"), 0o666);
    await agent.activate(config);
    expect(mode("config.json")).toBe(0o644);
  });

  it("names what drifted, and heals it", async () => {
    await agent.activate(config);
    const secret = config.http.auth?.openid?.providers.oidc?.credentialsFile as string;
    const name = `secrets/${secret.split("/").at(-1)}`;
    writeFileSync(file("config.json"), serializeConfig(open));
    chmodSync(secret, 0o644);
    await agent.run(host.service.stop.join(" "), "");
    expect((await agent.status()).drift).toEqual(["config.json was edited", "the service is not running"]);
    writeFileSync(file("config.json"), serializeConfig(config));
    expect((await agent.status()).drift).toEqual([`${name} is readable by others`, "the service is not running"]);
    appendFileSync(secret, " ");
    chmodSync(file("config.json"), 0o606);
    expect((await agent.status()).drift).toEqual([
      "config.json is writable by others",
      `${name} is readable by others`,
      `${name} was edited`,
      "the service is not running",
    ]);
    unlinkSync(secret);
    expect((await agent.status()).drift).toContain(`${name} is gone`);

    expect((await agent.call("put-secret", { name: "oidc-credentials" }, CREDENTIALS)).stdout.trim()).toBe(secret);
    expect((await agent.activate(config, { heal: 1 })).code).toBe(0);
    expect(await agent.status()).toMatchObject({ drift: [], heal: 1, healthy: true });
  });

  it("does not reload over what somebody else changed", async () => {
    await agent.activate(config);
    writeFileSync(file("config.json"), serializeConfig(open));
    expect(JSON.parse((await agent.activate(withRule(config, "x/**"))).stdout)).toMatchObject({ action: "restarted" });
    expect(await anonymousPush()).toBe(401);
    // The open configuration is no place to go back to.
    expect((await agent.call("rollback")).stderr).toMatch(/no hardened configuration came before/);
  });

  it("restarts when the zot on disk is another one than was applied", async () => {
    await agent.activate(config);
    const script = readFileSync(host.zot, "utf8");
    const newer = `case $1 in --version) echo '{"commit":"v9.1.2-0-gabc"}'; exit ;; esac\nPATH=`;
    writeFileSync(host.zot, script.replace("PATH=", newer));
    expect((await agent.status()).drift).toEqual([expect.stringMatching(/^zot is 9\.1\.2, and was 2\.\d+\.\d+ when/)]);
    expect(JSON.parse((await agent.activate(withRule(config, "x/**"))).stdout)).toMatchObject({
      action: "restarted",
      zot: "9.1.2",
    });
    expect((await agent.status()).drift).toEqual([]);
  });

  it("closes secrets that were opened, and restarts for a raised heal count", async () => {
    await agent.activate(config);
    const pid = await servedPid();
    chmodSync(config.http.auth?.openid?.providers.oidc?.credentialsFile as string, 0o644);
    expect(JSON.parse((await agent.activate(config, { heal: 1 })).stdout)).toMatchObject({ action: "restarted" });
    expect(await servedPid()).not.toBe(pid);
    expect(await agent.status()).toMatchObject({ drift: [], heal: 1 });
    expect(JSON.parse((await agent.activate(config, { heal: 1 })).stdout)).toMatchObject({ action: "unchanged" });
  });

  it.runIf(process.getuid?.() === 0)("refuses a login other than the owner of the directory", async () => {
    chownSync(host.configDirectory, 65534, 65534);
    const { code, stderr } = await agent.activate(config);
    chownSync(host.configDirectory, 0, 0);
    expect(stderr).toMatch(/belongs to user id 65534 and this login is 0: log in as the user zot runs as/);
    expect(code).toBe(1);
    expect(live()).toEqual(open);
  });

  it("refuses a symbolic link for a configuration", async () => {
    renameSync(file("config.json"), join(directory, "elsewhere.json"));
    symlinkSync(join(directory, "elsewhere.json"), file("config.json"));
    expect((await agent.activate(config)).stderr).toMatch(/is a symbolic link, which .*; nothing was changed/);
  });

  it("goes back to the hardened configuration before the current one", async () => {
    await agent.activate(config);
    expect((await agent.call("rollback")).stderr).toMatch(/only restore goes back to the open one/);
    await agent.activate(withRealm(config, "second"));
    expect(JSON.parse((await agent.call("rollback")).stdout)).toMatchObject({ action: "restarted" });
    expect(live()).toEqual(config);
    // The program's settings still say otherwise: that is to be seen.
    expect((await agent.status()).drift).toEqual(["the configuration was rolled back by hand"]);
    expect(JSON.parse((await agent.activate(withRealm(config, "second"), { heal: 1 })).stdout)).toMatchObject({
      action: "restarted",
    });
    expect(await agent.status()).toMatchObject({ drift: [], heal: 1 });
  });
});

describe("put-secret", () => {
  beforeEach(() => setUp());

  it("keeps secrets for the owner alone, under a name that follows the content, and prints only the path", async () => {
    const call = await agent.call("put-secret", { name: "session-keys" }, "hello");
    expect(call).toMatchObject({ code: 0, stderr: "" });
    expect(call.stdout).toBe(`${file("harden-zot/secrets/session-keys-2cf24dba5fb0.json")}\n`);
    expect(mode("harden-zot/secrets/session-keys-2cf24dba5fb0.json")).toBe(0o600);
    expect(mode("harden-zot/secrets")).toBe(0o700);
    expect(mode("harden-zot")).toBe(0o700);
  });

  it("refuses an empty secret and a name that would be a path", async () => {
    expect((await agent.call("put-secret", { name: "x" }, "")).stderr).toMatch(/got nothing on its standard input/);
    const { stderr, code } = await agent.call("put-secret", { name: "../x" }, "hello");
    expect([code, stderr]).toEqual([2, "harden-zot: name=../x: letters, digits and dashes only\n"]);
  });

  it("lets a secret go once no configuration to go back to needs it", async () => {
    const secrets = () => readdirSync(file("harden-zot/secrets"));
    const rotated = async (text: string) => {
      const { stdout } = await agent.call("put-secret", { name: "oidc-credentials" }, text);
      expect((await agent.activate(hardened(open, issuer.url, stdout.trim()))).code).toBe(0);
      return stdout.trim().split("/").at(-1) as string;
    };
    const names = [await rotated(CREDENTIALS)];
    for (const id of [1, 2]) names.push(await rotated(`{"clientid":"zot","clientsecret":"${id}"}`));
    expect(secrets().sort()).toEqual(names.slice(1).sort());
  });

  it("keeps a secret for a configuration that is yet to come", async () => {
    await agent.activate(config);
    const { stdout } = await agent.call("put-secret", { name: "session-keys" }, "hello");
    expect((await agent.activate(withRule(config, "x/**"))).code).toBe(0);
    expect(existsSync(stdout.trim())).toBe(true);
  });
});

describe("two runs at once", () => {
  beforeEach(() => setUp());

  it("come one after the other", async () => {
    await agent.activate(config);
    const realms = ["one", "two", "three"].map((realm) => withRealm(config, realm));
    const calls = await Promise.all(realms.map((realm) => agent.activate(realm)));
    for (const call of calls) expect(call).toMatchObject({ code: 0, stderr: "" });
    expect(realms).toContainEqual(live());
    expect(await agent.status()).toMatchObject({ drift: [], healthy: true, lock: null, journal: null });
  });

  it("are refused while one does not finish, with its process id", async () => {
    writeFileSync(file("agent.sh"), "sleep 30\n");
    const holder = spawn("sh", [file("agent.sh")]);
    writeFileSync(file("harden-zot/lock"), `${holder.pid}\n`);
    const { code, stderr } = await agent.activate(config, { wait: 1 });
    holder.kill();
    expect(code).toBe(75);
    expect(stderr).toBe(
      `harden-zot: another run (process ${holder.pid}) is changing this registry and did not finish within 1 s; nothing was changed, try again\n`,
    );
    expect((await agent.activate(config)).code).toBe(0);
  });

  it("leave a lock that nobody holds to the next one", async () => {
    writeFileSync(file("harden-zot/lock"), "999999999\n");
    expect((await agent.activate(config)).code).toBe(0);
    // A process id that came round again: this very test.
    writeFileSync(file("harden-zot/lock"), `${process.pid}\n`);
    expect((await agent.activate(withRealm(config, "x"))).code).toBe(0);
    expect((await agent.status()).lock).toBeNull();
  });
});
