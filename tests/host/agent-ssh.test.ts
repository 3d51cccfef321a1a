import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  AgentDriver,
  hardened,
  openConfig,
  startIssuer,
  type TestIssuer,
  withRealm,
} from "../../sandbox/host/agent-driver";
import { type SandboxHost, startHost, stopHost } from "../../sandbox/host/host";
import { findZot } from "../../sandbox/parts";
import { freePort, isAlive, waitForHttp } from "../../sandbox/process";
import { serializeConfig } from "../../src/config/render";
import { agentCommand, restartFingerprint } from "../../src/host/agent";
import type { ZotConfig } from "../../src/zot/types";

let directory: string;
let host: SandboxHost;
let issuer: TestIssuer;
let agent: AgentDriver;
let config: ZotConfig;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "harden-zot-ssh-"));
  issuer = await startIssuer();
  const open = openConfig(directory, await freePort());
  host = await startHost({ directory, zot: findZot().where, config: serializeConfig(open) });
  agent = new AgentDriver(host);
  await waitForHttp(`http://127.0.0.1:${open.http.port}/readyz`);
  await agent.install();
  const { stdout } = await agent.call(
    "put-secret",
    { name: "oidc-credentials" },
    '{"clientid":"a","clientsecret":"b"}',
  );
  config = hardened(open, issuer.url, stdout.trim());
});

afterEach(() => {
  host.stop();
  issuer.close();
  rmSync(directory, { recursive: true });
});

function ssh(command: string): ChildProcess {
  const { address, port, user, privateKeyFile, hostKey } = host.ssh;
  const options = ["-F", "none", "-i", privateKeyFile, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"];
  const known = join(directory, "known_hosts");
  execFileSync("sh", ["-c", `echo '[${address}]:${port} ${hostKey}' >${known}`]);
  return spawn("ssh", [
    ...options,
    "-o",
    `UserKnownHostsFile=${known}`,
    "-p",
    String(port),
    `${user}@${address}`,
    command,
  ]);
}

const activation = (to: ZotConfig) =>
  agentCommand({ ...host, sudo: false }, "activate", { restart: restartFingerprint(to) });

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20, await sleep(20)) if (await holds()) return;
  throw new Error(`never came: ${holds}`);
}

const processes = () =>
  execFileSync("ps", ["-A", "-o", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(directory));

describe("over SSH", () => {
  it("finishes what it began when the connection is lost", async () => {
    const client = ssh(activation(config));
    client.stdin?.end(serializeConfig(config));
    await until(() => existsSync(join(host.configDirectory, "harden-zot/txn/candidate.json")));
    client.kill("SIGKILL");
    await until(async () => {
      const { applied, lock } = await agent.status();
      return applied !== null && lock === null;
    });
    expect(await agent.status()).toMatchObject({ guarded: true, healthy: true, drift: [], journal: null });
    expect((await agent.activate(withRealm(config, "next"))).code).toBe(0);
  });

  it("changes nothing when the connection is lost before the configuration has arrived whole", async () => {
    const client = ssh(activation(config));
    client.stdin?.write(serializeConfig(config).slice(0, -20));
    await until(() => processes().some((line) => line.includes("agent.sh activate")));
    client.kill("SIGKILL");
    await until(() => !processes().some((line) => line.includes("agent.sh activate")));
    expect(await agent.status()).toMatchObject({ applied: null, guarded: false, healthy: true, journal: null });
    expect((await agent.activate(config)).code).toBe(0);
  });

  it("never says a secret back", async () => {
    const client = ssh(agentCommand({ ...host, sudo: false }, "put-secret", { name: "session-keys" }));
    let output = "";
    for (const stream of [client.stdout, client.stderr]) stream?.on("data", (text) => (output += text));
    client.stdin?.end("a-secret-nobody-may-see");
    await new Promise((closed) => client.on("close", closed));
    expect(output).toMatch(/session-keys-[0-9a-f]{12}\.json\n$/);
    expect(output).not.toContain("a-secret-nobody-may-see");
  });
});

describe("the sandbox host", () => {
  it("leaves no process behind, not even a session's", async () => {
    const session = ssh("sleep 300");
    await until(() => execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8" }).includes("sleep 300"));
    const zot = Number(readFileSync(join(directory, "zot.pid"), "utf8"));
    host.stop();
    session.kill();
    await until(() => processes().length === 0 && !isAlive(zot));
  });

  it("ends with the process that started it, also by Ctrl-C, and can be kept and ended later", async () => {
    for (const keep of [false, true]) {
      const home = join(directory, `other-${keep}`);
      const script = `
        const { startHost } = require(${JSON.stringify(resolve(__dirname, "../../sandbox/host/host"))});
        startHost({ directory: ${JSON.stringify(home)}, zot: "/bin/true", config: "{}" }).then((host) => {
          if (${keep}) host.keep();
          console.log("up");
          setInterval(() => {}, 1000);
        });`;
      const parent = spawn("node", ["--require", "./loader.js", "-e", script]);
      await new Promise((up) => parent.stdout.once("data", up));
      const sshd = Number(readFileSync(join(home, "sshd.pid"), "utf8"));
      parent.kill("SIGINT");
      await new Promise((closed) => parent.on("close", closed));
      if (keep) expect(isAlive(sshd)).toBe(true);
      else await until(() => !isAlive(sshd));
      stopHost(home);
      await until(() => !isAlive(sshd) && !processes().some((line) => line.includes(home)));
    }
  });
});
