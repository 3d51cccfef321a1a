import { spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hardened, withRealm, withRule } from "../../sandbox/host/agent-driver";
import { CREDENTIALS, TestHost } from "../../sandbox/host/test-host";
import { USERLANDS } from "../../sandbox/host/userlands";
import { startTlsProxy, type TlsProxy } from "../../sandbox/tls-proxy";
import { serializeConfig } from "../../src/config/render";

let test: TestHost;
afterEach(() => test.stop());

describe.each(USERLANDS)("with $name", (userland) => {
  beforeEach(async () => {
    test = await TestHost.start(userland.environment);
  });

  it("hardens, reloads what can be reloaded, restarts for the rest, and gives everything back", async () => {
    expect(await test.anonymousPush()).toBe(202);

    expect(JSON.parse((await test.agent.activate(test.config)).stdout)).toMatchObject({ action: "restarted" });
    expect(await test.anonymousPush()).toBe(401);
    expect(await test.agent.status()).toMatchObject({
      guarded: true,
      healthy: true,
      drift: [],
      journal: null,
      lock: null,
    });

    const pid = await test.servedPid();
    expect(JSON.parse((await test.agent.activate(test.config)).stdout)).toMatchObject({ action: "unchanged" });
    const closed = withRule(test.config, "a-closed-namespace-with-a-long-name/**");
    expect(JSON.parse((await test.agent.activate(closed)).stdout)).toMatchObject({ action: "reloaded" });
    expect(test.live()).toEqual(closed);
    // Shorter than what it is written over.
    expect(JSON.parse((await test.agent.activate(test.config)).stdout)).toMatchObject({ action: "reloaded" });
    expect(test.live()).toEqual(test.config);
    expect(await test.servedPid()).toBe(pid);
    expect(JSON.parse((await test.agent.activate(test.config)).stdout)).toMatchObject({ action: "unchanged" });

    expect(JSON.parse((await test.agent.activate(withRealm(test.config, "hall"))).stdout)).toMatchObject({
      action: "restarted",
    });
    expect((await fetch(`${test.url}/v2/`)).headers.get("www-authenticate")).toContain("hall");

    expect(JSON.parse((await test.agent.call("restore")).stdout)).toMatchObject({ action: "restarted" });
    expect(readFileSync(test.file("config.json"), "utf8")).toBe(serializeConfig(test.open));
    expect(await test.anonymousPush()).toBe(202);
    expect(JSON.parse((await test.agent.call("restore")).stdout)).toMatchObject({ action: "unchanged" });
    expect(test.names("harden-zot")).toEqual(["agent.sh"]);
    expect((await test.agent.call("uninstall")).code).toBe(0);
    expect(test.names(".")).toEqual(["config.json"]);
  });

  it("serves on an IPv6 address, which zot wants in brackets", async () => {
    const on = (address: string) => ({ ...test.config, http: { ...test.config.http, address } });
    for (const address of ["[::1]", "[::]"]) {
      expect(await test.agent.activate(on(address))).toMatchObject({ code: 0, stderr: "" });
      expect(await test.agent.status()).toMatchObject({ healthy: true, drift: [] });
      expect((await fetch(`http://[::1]:${test.open.http.port}/readyz`)).status).toBe(200);
    }
  });

  it("refuses an issuer that is down or calls itself otherwise, and touches nothing", async () => {
    await test.agent.activate(test.config);
    const pid = await test.servedPid();
    test.issuer.claims = test.issuer.url.replace(/\/$/, "");
    const mismatch = await test.agent.activate(withRealm(test.config, "new"));
    expect(mismatch).toMatchObject({ code: 1, stdout: "" });
    expect(mismatch.stderr).toBe(
      `harden-zot: the OIDC issuer calls itself '${test.issuer.claims}' and the new config.json calls it '${test.issuer.url}'; zot compares them byte for byte and would not start; nothing was changed\n`,
    );
    test.issuer.close();
    const down = await test.agent.activate(withRealm(test.config, "new"));
    expect(down.stderr).toMatch(
      /^harden-zot: the OIDC issuer \S+ cannot be discovered from this host \(.*refused.*\); .*nothing was changed\n$|Couldn't connect/i,
    );
    expect(down.code).toBe(1);
    expect(test.live()).toEqual(test.config);
    expect(await test.servedPid()).toBe(pid);
    expect(await test.agent.status()).toMatchObject({ drift: [], journal: null, lock: null });
  });
});

describe("an issuer behind a proxy with TLS that Authentik does not trust", () => {
  let proxy: TlsProxy;
  beforeEach(async () => {
    const ca = join(mkdtempSync(join(tmpdir(), "harden-zot-ca-")), "ca.pem");
    test = await TestHost.start(() => ({ env: { ...process.env, CURL_CA_BUNDLE: ca } }));
    proxy = await startTlsProxy(new URL(test.issuer.url).origin);
    writeFileSync(ca, proxy.ca);
  });
  afterEach(() => proxy.stop());

  it("names the cause and Authentik's setting, before any restart", async () => {
    const issuer = test.issuer.url.replace(/^http:\/\/[^/]*/, proxy.url);
    test.issuer.claims = issuer.replace("https:", "http:");
    const { oidc } = test.config.http.auth?.openid?.providers ?? {};
    const refused = await test.agent.activate(hardened(test.open, issuer, oidc?.credentialsFile ?? ""));
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toBe(
      `harden-zot: the OIDC issuer calls itself '${test.issuer.claims}' and the new config.json calls it '${issuer}'; zot compares them byte for byte and would not start: Authentik does not believe the proxy in front of it that the request came over https, so add the proxy's network to AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS in Authentik's environment, have the proxy send X-Forwarded-Proto, and restart Authentik; nothing was changed\n`,
    );
    expect(await test.anonymousPush()).toBe(202);
  });
});

describe("a host as it may be found", () => {
  beforeEach(async () => {
    test = await TestHost.start();
  });

  it("starts a stopped zot", async () => {
    await test.stopService();
    expect(JSON.parse((await test.agent.activate(test.config)).stdout)).toMatchObject({ action: "restarted" });
    expect(await test.anonymousPush()).toBe(401);
  });

  it("hardens a zot that never had a configuration, and leaves none on restore", async () => {
    await test.stopService();
    unlinkSync(test.file("config.json"));
    expect((await test.agent.activate(test.config)).code).toBe(0);
    expect(test.mode("config.json")).toBe(0o600);
    expect(JSON.parse((await test.agent.call("restore")).stdout)).toEqual({ sha256: "", action: "stopped", zot: "" });
    expect(existsSync(test.file("config.json"))).toBe(false);
    expect(test.names("harden-zot")).toEqual(["agent.sh"]);
  });

  it("keeps the mode of config.json, but for others' right to write", async () => {
    chmodSync(test.file("config.json"), 0o666);
    await test.agent.activate(test.config);
    expect(test.mode("config.json")).toBe(0o644);
  });

  it("names what drifted, and heals it", async () => {
    await test.agent.activate(test.config);
    const secret = test.config.http.auth?.openid?.providers.oidc?.credentialsFile as string;
    const name = `secrets/${secret.split("/").at(-1)}`;
    writeFileSync(test.file("config.json"), serializeConfig(test.open));
    chmodSync(secret, 0o644);
    await test.stopService();
    expect((await test.agent.status()).drift).toEqual(["config.json was edited", "the service is not running"]);
    writeFileSync(test.file("config.json"), serializeConfig(test.config));
    expect((await test.agent.status()).drift).toEqual([`${name} is readable by others`, "the service is not running"]);
    appendFileSync(secret, " ");
    chmodSync(test.file("config.json"), 0o606);
    expect((await test.agent.status()).drift).toEqual([
      "config.json is writable by others",
      `${name} is readable by others`,
      `${name} was edited`,
      "the service is not running",
    ]);
    unlinkSync(secret);
    expect((await test.agent.status()).drift).toContain(`${name} is gone`);

    expect((await test.agent.call("put-secret", { name: "oidc-credentials" }, CREDENTIALS)).stdout.trim()).toBe(secret);
    expect((await test.agent.activate(test.config, { heal: 1 })).code).toBe(0);
    expect(await test.agent.status()).toMatchObject({ drift: [], heal: 1, healthy: true });
  });

  it("does not reload over what somebody else changed", async () => {
    await test.agent.activate(test.config);
    writeFileSync(test.file("config.json"), serializeConfig(test.open));
    expect(JSON.parse((await test.agent.activate(withRule(test.config, "x/**"))).stdout)).toMatchObject({
      action: "restarted",
    });
    expect(await test.anonymousPush()).toBe(401);
    // The open configuration is no place to go back to.
    expect((await test.agent.call("rollback")).stderr).toMatch(/no hardened configuration came before/);
  });

  it("restarts when the zot on disk is another one than was applied", async () => {
    await test.agent.activate(test.config);
    const script = readFileSync(test.host.zot, "utf8");
    const newer = `case $1 in --version) echo '{"commit":"v9.1.2-0-gabc"}'; exit ;; esac\nPATH=`;
    writeFileSync(test.host.zot, script.replace("PATH=", newer));
    expect((await test.agent.status()).drift).toEqual([
      expect.stringMatching(/^zot is 9\.1\.2, and was 2\.\d+\.\d+ when/),
    ]);
    expect(JSON.parse((await test.agent.activate(withRule(test.config, "x/**"))).stdout)).toMatchObject({
      action: "restarted",
      zot: "9.1.2",
    });
    expect((await test.agent.status()).drift).toEqual([]);
  });

  it("closes secrets that were opened, and restarts for a raised heal count", async () => {
    await test.agent.activate(test.config);
    const pid = await test.servedPid();
    chmodSync(test.config.http.auth?.openid?.providers.oidc?.credentialsFile as string, 0o644);
    expect(JSON.parse((await test.agent.activate(test.config, { heal: 1 })).stdout)).toMatchObject({
      action: "restarted",
    });
    expect(await test.servedPid()).not.toBe(pid);
    expect(await test.agent.status()).toMatchObject({ drift: [], heal: 1 });
    expect(JSON.parse((await test.agent.activate(test.config, { heal: 1 })).stdout)).toMatchObject({
      action: "unchanged",
    });
  });

  it.runIf(process.getuid?.() === 0)("refuses a login other than the owner of the directory", async () => {
    chownSync(test.host.configDirectory, 65534, 65534);
    const { code, stderr } = await test.agent.activate(test.config);
    chownSync(test.host.configDirectory, 0, 0);
    expect(stderr).toMatch(/belongs to user id 65534 and this login is 0: log in as the user zot runs as/);
    expect(code).toBe(1);
    expect(test.live()).toEqual(test.open);
  });

  it("refuses a symbolic link for a configuration", async () => {
    renameSync(test.file("config.json"), join(test.directory, "elsewhere.json"));
    symlinkSync(join(test.directory, "elsewhere.json"), test.file("config.json"));
    expect((await test.agent.activate(test.config)).stderr).toMatch(
      /is a symbolic link, which .*; nothing was changed/,
    );
  });

  it("goes back to the hardened configuration before the current one", async () => {
    await test.agent.activate(test.config);
    expect((await test.agent.call("rollback")).stderr).toMatch(/only restore goes back to the open one/);
    await test.agent.activate(withRealm(test.config, "second"));
    expect(JSON.parse((await test.agent.call("rollback")).stdout)).toMatchObject({ action: "restarted" });
    expect(test.live()).toEqual(test.config);
    // The program's settings still say otherwise: that is to be seen.
    expect((await test.agent.status()).drift).toEqual(["the configuration was rolled back by hand"]);
    expect(JSON.parse((await test.agent.activate(withRealm(test.config, "second"), { heal: 1 })).stdout)).toMatchObject(
      {
        action: "restarted",
      },
    );
    expect(await test.agent.status()).toMatchObject({ drift: [], heal: 1 });
  });
});

describe("put-secret", () => {
  beforeEach(async () => {
    test = await TestHost.start();
  });

  it("keeps secrets for the owner alone, under a name that follows the content, and prints only the path", async () => {
    const call = await test.agent.call("put-secret", { name: "session-keys" }, "hello");
    expect(call).toMatchObject({ code: 0, stderr: "" });
    expect(call.stdout).toBe(`${test.file("harden-zot/secrets/session-keys-2cf24dba5fb0.json")}\n`);
    expect(test.mode("harden-zot/secrets/session-keys-2cf24dba5fb0.json")).toBe(0o600);
    expect(test.mode("harden-zot/secrets")).toBe(0o700);
    expect(test.mode("harden-zot")).toBe(0o700);
  });

  it("refuses an empty secret and a name that would be a path", async () => {
    expect((await test.agent.call("put-secret", { name: "x" }, "")).stderr).toMatch(
      /got nothing on its standard input/,
    );
    const { stderr, code } = await test.agent.call("put-secret", { name: "../x" }, "hello");
    expect([code, stderr]).toEqual([2, "harden-zot: name=../x: letters, digits and dashes only\n"]);
  });

  it("lets a secret go once no configuration to go back to needs it", async () => {
    const secrets = () => test.names("harden-zot/secrets");
    const rotated = async (text: string) => {
      const { stdout } = await test.agent.call("put-secret", { name: "oidc-credentials" }, text);
      expect((await test.agent.activate(hardened(test.open, test.issuer.url, stdout.trim()))).code).toBe(0);
      return stdout.trim().split("/").at(-1) as string;
    };
    const names = [await rotated(CREDENTIALS)];
    for (const id of [1, 2]) names.push(await rotated(`{"clientid":"zot","clientsecret":"${id}"}`));
    expect(secrets().sort()).toEqual(names.slice(1).sort());
  });

  it("keeps a secret for a configuration that is yet to come", async () => {
    await test.agent.activate(test.config);
    const { stdout } = await test.agent.call("put-secret", { name: "session-keys" }, "hello");
    expect((await test.agent.activate(withRule(test.config, "x/**"))).code).toBe(0);
    expect(existsSync(stdout.trim())).toBe(true);
  });
});

describe("two runs at once", () => {
  beforeEach(async () => {
    test = await TestHost.start();
  });

  it("come one after the other", async () => {
    await test.agent.activate(test.config);
    const realms = ["one", "two", "three"].map((realm) => withRealm(test.config, realm));
    const calls = await Promise.all(realms.map((realm) => test.agent.activate(realm)));
    for (const call of calls) expect(call).toMatchObject({ code: 0, stderr: "" });
    expect(realms).toContainEqual(test.live());
    expect(await test.agent.status()).toMatchObject({ drift: [], healthy: true, lock: null, journal: null });
  });

  it("are refused while one does not finish, with its process id", async () => {
    writeFileSync(test.file("agent.sh"), "sleep 30\n");
    const holder = spawn("sh", [test.file("agent.sh")]);
    writeFileSync(test.file("harden-zot/lock"), `${holder.pid}\n`);
    const { code, stderr } = await test.agent.activate(test.config, { wait: 1 });
    holder.kill();
    expect(code).toBe(75);
    expect(stderr).toBe(
      `harden-zot: another run (process ${holder.pid}) is changing this registry and did not finish within 1 s; nothing was changed, try again\n`,
    );
    expect((await test.agent.activate(test.config)).code).toBe(0);
  });

  it("leave a lock that nobody holds to the next one", async () => {
    writeFileSync(test.file("harden-zot/lock"), "999999999\n");
    expect((await test.agent.activate(test.config)).code).toBe(0);
    // A process id that came round again: this very test.
    writeFileSync(test.file("harden-zot/lock"), `${process.pid}\n`);
    expect((await test.agent.activate(withRealm(test.config, "x"))).code).toBe(0);
    expect((await test.agent.status()).lock).toBeNull();
  });
});
