import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type SandboxHost, startHost } from "../../sandbox/host/host";
import { type Daemon, freePort, startDaemon, stopDaemon } from "../../sandbox/process";
import { connected, execute, run } from "../../src/host/ssh";
import { OperatorError } from "../../src/operator/error";
import { hostsSettings } from "../../src/settings/hosts";

let directory: string;
let host: SandboxHost;
let bastion: SandboxHost;
const SOCKET = process.env.SSH_AUTH_SOCK;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "harden-zot-connections-"));
  host = await startHost({ directory: join(directory, "host"), zot: "/bin/true" });
  bastion = await startHost({ directory: join(directory, "bastion"), zot: "/bin/true" });
});
afterAll(() => {
  for (const started of [host, bastion]) started?.stop();
  rmSync(directory, { recursive: true });
});
beforeEach(() => {
  delete process.env.SSH_AUTH_SOCK;
  pulumi.runtime.setAllConfig({ "harden-zot:right": "hunter2", "harden-zot:wrong": "hunter3" }, [
    "harden-zot:right",
    "harden-zot:wrong",
  ]);
});
afterEach(() => {
  if (SOCKET === undefined) delete process.env.SSH_AUTH_SOCK;
  else process.env.SSH_AUTH_SOCK = SOCKET;
});

function login(of: SandboxHost, change: object = {}) {
  const { address, hostKey, port, privateKeyFile, user } = of.ssh;
  return { address, hostKey, port, privateKeyFile, user, ...change };
}

/** `echo reached` on the host. @param change to its settings */
async function reach(change: object = {}): Promise<string> {
  const { configDirectory, service, zot } = host;
  const [settings] = hostsSettings.parse([{ ...login(host), configDirectory, service, zot, ...change }]);
  return (await execute(settings as NonNullable<typeof settings>, "echo reached")).stdout;
}

async function failure(change: object): Promise<string> {
  const error = await reach(change).catch((reason: Error) => reason);
  expect(error).toBeInstanceOf(OperatorError);
  return (error as Error).message;
}

it("a link that dies after the login is noticed, and so is a command that never ends", async () => {
  const relay = createServer((from) => {
    const to = connect(host.ssh.port, host.ssh.address);
    from.pipe(to).pipe(from);
    for (const socket of [from, to]) socket.on("error", () => {});
    setTimeout(() => {
      from.unpipe(to).pause();
      to.unpipe(from).pause();
    }, 1500);
  });
  const port = await new Promise<number>((settle) =>
    relay.listen(0, "127.0.0.1", () => settle((relay.address() as AddressInfo).port)),
  );
  try {
    const begun = performance.now();
    const lost = await execute({ ...login(host, { port }), privateKeyFile: host.ssh.privateKeyFile }, "sleep 120");
    expect(lost.code).toBe(255);
    expect(performance.now() - begun).toBeLessThan(40_000);
  } finally {
    relay.close();
  }
  const slow = await connected(login(host), (client) => run(client, "sleep 120", "", 500));
  expect(slow.code).toBe(255);
});

/** A host's key under a passphrase. */
function encrypted(of: SandboxHost, format: string[] = []): string {
  const file = join(directory, `encrypted-${of.ssh.port}${format.join("")}`);
  if (existsSync(file)) return file;
  copyFileSync(of.ssh.privateKeyFile, file);
  execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", "hunter2", ...format, "-f", file]);
  return file;
}

const accepted = (of: SandboxHost, name: string) =>
  readFileSync(join(directory, name, "sshd.log"), "utf8").match(
    new RegExp(`Accepted publickey for ${of.ssh.user}`, "g"),
  )?.length ?? 0;

it("a key file under ~/ is looked for where a shell would", async () => {
  vi.stubEnv("HOME", dirname(host.ssh.privateKeyFile));
  expect(await reach({ privateKeyFile: `~/${basename(host.ssh.privateKeyFile)}` })).toBe("reached\n");
  vi.unstubAllEnvs();
});

describe("a key with a passphrase", () => {
  it("is opened with the secret that the settings name", async () => {
    expect(await reach({ privateKeyFile: encrypted(host), passphraseKey: "right" })).toBe("reached\n");
  });

  it.each([
    ["wrong", /^harden-zot:hosts: privateKeyFile = .* does not open with the passphrase in harden-zot:wrong: set the/],
    ["missing", /^harden-zot:hosts names harden-zot:missing as a passphrase, and this stack has no such value/],
  ])("%s passphrase: says so before anything is sent", async (passphraseKey, message) => {
    const before = accepted(host, "host");
    const said = await failure({ privateKeyFile: encrypted(host), passphraseKey });
    expect(said).toMatch(message);
    expect(said).not.toMatch(/hunter|\n/);
    expect(accepted(host, "host")).toBe(before);
  });

  it("is refused when the passphrase lies in the stack file in plain", async () => {
    pulumi.runtime.setAllConfig({ "harden-zot:right": "hunter2" }, []);
    const said = await failure({ privateKeyFile: encrypted(host), passphraseKey: "right" });
    expect(said).toMatch(/^harden-zot:right is a passphrase and lies in the stack file in plain: .*--secret/);
    expect(said).not.toContain("hunter2");
  });

  it("is refused a passphrase where the key needs none, which @pulumi/command cannot use", async () => {
    expect(await failure({ passphraseKey: "right" })).toMatch(/is not encrypted: leave passphraseKey out/);
  });
});

describe("a jump host", () => {
  it("leads to the host, each with a key of its own", async () => {
    const before = [accepted(bastion, "bastion"), accepted(host, "host")];
    const jump = login(bastion, { privateKeyFile: encrypted(bastion), passphraseKey: "right" });
    expect(await reach({ jump })).toBe("reached\n");
    expect([accepted(bastion, "bastion"), accepted(host, "host")]).toEqual(before.map((count) => count + 1));
  });

  it("is not trusted under another host key", async () => {
    const before = accepted(bastion, "bastion");
    const said = await failure({ jump: login(bastion, { hostKey: host.ssh.hostKey }) });
    expect(said).toMatch(/^the jump host .* does not have the host key that harden-zot:hosts pins/);
    expect(accepted(bastion, "bastion")).toBe(before);
  });

  it("does not make the host trusted: that one's key is pinned too", async () => {
    const said = await failure({ jump: login(bastion), hostKey: bastion.ssh.hostKey });
    expect(said).toMatch(/^host .* does not have the host key that harden-zot:hosts pins/);
  });

  it("that is down, or refuses, is told from a host that is down or refuses", async () => {
    const port = await freePort();
    expect(await failure({ jump: login(bastion, { port }) })).toMatch(
      new RegExp(`^the jump host \\S+:${port} \\(for 127.0.0.1\\) cannot be reached \\(ECONNREFUSED\\)`),
    );
    expect(await failure({ jump: login(bastion), port })).toMatch(
      new RegExp(`^the jump host .* cannot reach host \\S+:${port} \\(Connection refused\\)`),
    );
    const other = { privateKeyFile: host.ssh.privateKeyFile };
    expect(await failure({ jump: login(bastion, other) })).toMatch(/^the jump host .* refused the login with the key/);
    expect(await failure({ jump: login(bastion), privateKeyFile: bastion.ssh.privateKeyFile })).toMatch(
      /^host .* refused the login with the key/,
    );
  });
});

describe("the SSH agent", () => {
  let agent: Daemon;
  const socket = () => join(directory, "agent");
  const add = (...words: string[]) =>
    execFileSync("ssh-add", ["-q", ...words], { env: { ...process.env, SSH_AUTH_SOCK: socket() }, stdio: "ignore" });

  beforeAll(async () => {
    agent = startDaemon("ssh-agent", ["ssh-agent", "-D", "-a", socket()], join(directory, "agent.log"));
    for (let waited = 0; waited < 5000 && !existsSync(socket()); waited += 20) await sleep(20);
  });
  afterAll(() => stopDaemon(agent));

  it("holds the keys of host and jump host", async () => {
    process.env.SSH_AUTH_SOCK = socket();
    add("-D");
    expect(await failure({ privateKeyFile: undefined })).toMatch(/refused the login with what the SSH agent .* offers/);
    for (const { ssh } of [host, bastion]) add(ssh.privateKeyFile);
    expect(await reach({ privateKeyFile: undefined })).toBe("reached\n");
    const jump = login(bastion, { privateKeyFile: undefined });
    expect(await reach({ privateKeyFile: undefined, jump })).toBe("reached\n");
  });

  it("that is gone, or was never there, is named", async () => {
    process.env.SSH_AUTH_SOCK = join(directory, "no-agent");
    expect(await failure({ privateKeyFile: undefined })).toMatch(
      /^the SSH agent \(SSH_AUTH_SOCK = \S+no-agent\) does not answer/,
    );
    delete process.env.SSH_AUTH_SOCK;
    expect(await failure({ privateKeyFile: undefined })).toMatch(/there is no SSH agent \(SSH_AUTH_SOCK is not set\)/);
  });
});
