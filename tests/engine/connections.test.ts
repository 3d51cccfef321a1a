import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SandboxHost, startHost } from "../../sandbox/host/host";
import { startDaemon, stopDaemon } from "../../sandbox/process";
import { type Sandbox, startSandbox } from "../../sandbox/sandbox";

const PASSPHRASE = "correct-horse-battery";

/** Every way to a host, through the engine and the command plugin: each `up` says what the host then serves. */
describe("the connection to a host", () => {
  let sandbox: Sandbox;
  let bastion: SandboxHost;

  beforeAll(async () => {
    sandbox = await startSandbox(() => {});
    bastion = await startHost({ directory: join(sandbox.directory, "bastion"), zot: "/bin/true" });
  });
  afterAll(async () => {
    bastion?.stop();
    await sandbox?.stop();
  });

  function encrypted(file: string): string {
    const copy = `${file}.encrypted`;
    copyFileSync(file, copy);
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", copy]);
    return copy;
  }

  function configure(change: object): void {
    const settings = sandbox.settings();
    Object.assign((settings["harden-zot:hosts"] as object[])[0] as object, change);
    sandbox.stack.configure(settings);
  }

  const jump = (change: object = {}) => {
    const { address, hostKey, port, privateKeyFile, user } = bastion.ssh;
    return { address, hostKey, port, privateKeyFile, user, ...change };
  };

  it("may lead through a jump host, with keys under a passphrase that the state keeps secret", async () => {
    const passphraseKey = "sshPassphrase";
    const [key, jumpKey] = [encrypted(sandbox.host.ssh.privateKeyFile), encrypted(bastion.ssh.privateKeyFile)];
    configure({ privateKeyFile: key, passphraseKey, jump: jump({ privateKeyFile: jumpKey, passphraseKey }) });
    await sandbox.stack.setSecret("harden-zot:sshPassphrase", PASSPHRASE);
    const { code, output } = await sandbox.stack.up();
    expect(code, output).toBe(0);
    expect((await fetch(`${sandbox.registryUrl}/readyz`)).status).toBe(200);
    const log = readFileSync(join(sandbox.directory, "bastion/sshd.log"), "utf8");
    // Observed once, then whose it is, the agent, the secrets, the configuration, and the catalog.
    expect(log.match(/Accepted publickey/g)).toHaveLength(6);
    const state = await sandbox.stack.state();
    for (const secret of [PASSPHRASE, readFileSync(key, "utf8"), readFileSync(jumpKey, "utf8")]) {
      expect(state + output).not.toContain(secret.split("\n").at(1) ?? secret);
    }
    const again = await sandbox.stack.preview("--expect-no-changes");
    expect(again.code, again.output).toBe(0);
  });

  it("is refused over a jump host with another host key, or one that is down, before anything is touched", async () => {
    configure({ jump: jump({ hostKey: sandbox.host.ssh.hostKey }) });
    const wrong = await sandbox.stack.up();
    expect(wrong.code).not.toBe(0);
    expect(wrong.output).toMatch(/the jump host .* does not have the host key .* Nothing was changed\./);
    // A port that no other test can have taken meanwhile.
    configure({ jump: jump({ port: 1 }) });
    const down = await sandbox.stack.up();
    expect(down.code).not.toBe(0);
    expect(down.output).toMatch(/the jump host .* cannot be reached \(ECONNREFUSED\).* Nothing was changed\./);
  });

  it("may be the SSH agent's, which leaves no key in the state", async () => {
    const socket = join(sandbox.directory, "agent");
    const agent = startDaemon("ssh-agent", ["ssh-agent", "-D", "-a", socket], `${socket}.log`);
    for (let waited = 0; waited < 5000 && !existsSync(socket); waited += 20) await sleep(20);
    try {
      const environment = { ...process.env, SSH_AUTH_SOCK: socket };
      const keys = [sandbox.host, bastion].map(({ ssh }) => ssh.privateKeyFile);
      execFileSync("ssh-add", ["-q", ...keys], { env: environment, stdio: "ignore" });
      configure({ privateKeyFile: undefined, jump: jump({ privateKeyFile: undefined }) });
      const stack = sandbox.stack.withEnvironment({ SSH_AUTH_SOCK: socket });
      const { code, output } = await stack.up();
      expect(code, output).toBe(0);
      const state = await stack.pulumi(["stack", "export", "--show-secrets"]);
      expect(state.output).toContain("proxy");
      expect(state.output).not.toMatch(/privateKey|PRIVATE KEY/);
      const again = await stack.preview("--expect-no-changes");
      expect(again.code, again.output).toBe(0);
    } finally {
      await stopDaemon(agent);
    }
  });
});
