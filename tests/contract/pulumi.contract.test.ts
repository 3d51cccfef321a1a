import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../sandbox/process";
import { type Properties, revealAll, secret, UNKNOWN } from "../../sandbox/pulumi/plugins/wire";
import { Plugin } from "./pulumi-plugin";
import { type Sshd, startSshd } from "./pulumi-sshd";

// The same cases hold for the official plugins (PULUMI_PLUGINS=DIRECTORY) and for the sandbox's stand-ins.

const LOCAL = "command:local:Command";
const REMOTE = "command:remote:Command";

let command: Plugin;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "pulumi-contract-"));
  command = await Plugin.start("command", "1.2.1");
  await command.configure({});
});
afterAll(() => {
  command?.stop();
  rmSync(directory, { recursive: true });
});
beforeEach(() => void command.log.splice(0));

/** A created command, for what comes after. */
async function created(type: string, inputs: Properties) {
  return { inputs, ...(await command.create(type, inputs)) };
}

describe("local.Command", () => {
  it("runs with /bin/sh, its own variables, directory and stdin", async () => {
    const inputs = {
      create: "pwd; echo $A; cat; echo problem >&2",
      dir: directory,
      environment: { A: "b" },
      stdin: "in",
    };
    const { id, outputs } = await command.create(LOCAL, inputs);
    expect(id).toMatch(/^thing[0-9a-f]{8}$/);
    expect(outputs).toEqual({ ...inputs, stdout: `${directory}\nb\nin`, stderr: "problem" });
  });

  it("takes exactly one newline off the end", async () => {
    expect((await command.create(LOCAL, { create: "printf 'a\\n\\n'" })).outputs.stdout).toBe("a\n");
  });

  it("runs with another interpreter", async () => {
    const { outputs } = await command.create(LOCAL, { create: "a b", interpreter: ["/usr/bin/printf", "<%s>"] });
    expect(outputs.stdout).toBe("<a b>");
  });

  it("does nothing without a create command", async () => {
    expect((await command.create(LOCAL, { delete: "true" })).outputs).toEqual({
      delete: "true",
      stdout: "",
      stderr: "",
    });
  });

  it("runs nothing in a preview and leaves its output unknown", async () => {
    const inputs = { create: `touch ${directory}/ran` };
    expect((await command.create(LOCAL, inputs, true)).outputs).toEqual({
      ...inputs,
      stdout: UNKNOWN,
      stderr: UNKNOWN,
    });
    expect(existsSync(join(directory, "ran"))).toBe(false);
  });

  it("leaves its output unknown in the preview of an update too", async () => {
    const { id, inputs, outputs } = await created(LOCAL, { create: "echo one" });
    const after = { create: "echo two" };
    expect(await command.update(LOCAL, id, inputs, outputs, after, true)).toEqual({
      ...after,
      stdout: UNKNOWN,
      stderr: UNKNOWN,
    });
  });

  it("words a failure with command and output, whatever the logging", async () => {
    const create = "echo out; echo err >&2; exit 3";
    await expect(command.create(LOCAL, { create, logging: "none" })).rejects.toThrow(
      /^exit status 3: running "echo out; echo err >&2; exit 3":\n(out\nerr|err\nout)\n$/,
    );
  });

  it("words an end by a signal", async () => {
    await expect(command.create(LOCAL, { create: "kill -9 $$" })).rejects.toThrow(/^signal: killed: running/);
  });

  it("runs update, or create where there is none, on a change", async () => {
    const { id, inputs, outputs } = await created(LOCAL, { create: "echo created" });
    const both = { create: "echo created", update: "echo updated" };
    expect((await command.update(LOCAL, id, inputs, outputs, both)).stdout).toBe("updated");
    const again = { create: "echo created again" };
    expect((await command.update(LOCAL, id, inputs, outputs, again)).stdout).toBe("created again");
  });

  it("gives the previous output to update and delete, unless told not to", async () => {
    const show = 'echo "[$PULUMI_COMMAND_STDOUT|$PULUMI_COMMAND_STDERR]"';
    const { id, inputs, outputs } = await created(LOCAL, { create: "echo one; echo two >&2" });
    expect((await command.update(LOCAL, id, inputs, outputs, { create: show })).stdout).toBe("[one|two]");
    const silent = { create: show, addPreviousOutputInEnv: false };
    expect((await command.update(LOCAL, id, inputs, outputs, silent)).stdout).toBe("[|]");
    await command.delete(LOCAL, id, { ...outputs, delete: `${show} > ${directory}/deleted` });
    expect(readFileSync(join(directory, "deleted"), "utf8")).toBe("[one|two]\n");
  });

  it("is left alone by a refresh", async () => {
    const { id, inputs, outputs } = await created(LOCAL, { create: `touch ${directory}/drift` });
    expect(await command.read(LOCAL, id, inputs, outputs)).toEqual({ inputs, outputs });
  });

  it.each([
    ["create", { create: "b" }, ["create"]],
    ["a variable", { environment: { A: "2" } }, ["environment.A"]],
    ["stdin", { stdin: "other" }, ["stdin"]],
    ["a new delete command", { delete: "true" }, ["delete"]],
    ["a trigger", { triggers: [1, "changed"] }, ["triggers[1]"]],
    ["an additional trigger", { triggers: [1, "two", 3] }, ["triggers[2]"]],
    ["nothing", {}, []],
  ])("is updated in place by a change of %s (a trigger replaces through the SDK)", async (_, change, changed) => {
    const before = { create: "a", environment: { A: "1" }, stdin: secret("s"), triggers: [1, "two"] };
    const outputs = { ...before, stdout: "", stderr: "" };
    expect(await command.diff(LOCAL, "thing1", before, outputs, { ...before, ...change })).toEqual({
      changed,
      replaced: [],
    });
  });

  it("shows output line by line unless told not to", async () => {
    const create = "echo one; sleep 0.1; echo two >&2; sleep 0.1; printf three";
    const lines = async (logging?: string) => {
      command.log.splice(0);
      await command.create(LOCAL, { create, ...(logging && { logging }) });
      return command.log.filter(({ severity }) => severity === "status").map(({ message }) => message);
    };
    expect((await lines()).sort()).toEqual(["one", "three", "two"]);
    expect(await lines("stdout")).toEqual(["one", "three"]);
    expect(await lines("stderr")).toEqual(["two"]);
    expect(await lines("none")).toEqual([]);
  });

  it("keeps a secret stdin secret, but not what the command makes of it", async () => {
    const { outputs } = await command.create(LOCAL, { create: "cat", stdin: secret("hidden") });
    expect(outputs).toMatchObject({ stdin: secret("hidden"), stdout: "hidden" });
  });
});

describe("remote.Command", () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  const connection = (change: Properties = {}): Properties => ({
    ...{ host: "127.0.0.1", port: sshd.port, user: sshd.user, privateKey: sshd.privateKey, hostKey: sshd.hostKey },
    ...{ dialErrorLimit: 0, perDialTimeout: 15, ...change },
  });
  const run = (create: string, more: Properties = {}, change: Properties = {}) =>
    command.create(REMOTE, { create, ...more, connection: secret(connection(change)) });
  const output = async (...args: Parameters<typeof run>) => (await run(...args)).outputs.stdout;

  it("completes the connection", async () => {
    const { connection } = await command.check(REMOTE, { create: "true", connection: secret({ host: "h" }) });
    const complete = { host: "h", port: 22, user: "root", dialErrorLimit: 10, perDialTimeout: 15 };
    expect(connection).toEqual(secret(complete));
  });

  it("runs over SSH with stdin, of any size", async () => {
    const stdin = "0123456789abcdef".repeat(20_000);
    expect(await output("wc -c", { stdin, logging: "none" })).toMatch(/^\s*320000$/);
    expect(await output("echo out; echo err >&2")).toBe("out");
  });

  it("does not dial in a preview", async () => {
    const inputs = { create: "true", connection: secret(connection({ port: 1 })) };
    expect((await command.create(REMOTE, inputs, true)).outputs).toEqual({
      ...inputs,
      stdout: UNKNOWN,
      stderr: UNKNOWN,
    });
  });

  it("keeps the connection secret", async () => {
    expect((await run("true")).outputs.connection).toEqual(secret(connection()));
  });

  it("words a failure with command and output", async () => {
    await expect(run("echo out; exit 3")).rejects.toThrow(
      /^Process exited with status 3: running "echo out; exit 3":\nout\n$/,
    );
  });

  it("words an end by a signal", async () => {
    await expect(run("kill -9 $$")).rejects.toThrow(/^Process exited with status 137 from signal KILL: running/);
  });

  it("accepts a host key with or without a known_hosts pattern, which it ignores", async () => {
    expect(await output("echo ok", {}, { hostKey: `elsewhere.example ${sshd.hostKey}` })).toBe("ok");
    expect(await output("echo ok", {}, { hostKey: sshd.hostKey.split(" ").slice(0, 2).join(" ") })).toBe("ok");
  });

  it("refuses another host key", async () => {
    await expect(run("true", {}, { hostKey: sshd.otherHostKey })).rejects.toThrow(
      "after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch",
    );
  });

  it("does not talk to OpenSSH when given its RSA key", async () => {
    await expect(run("true", {}, { hostKey: sshd.rsaHostKey })).rejects.toThrow(
      "after 0 failed attempts: ssh: handshake failed: ssh: no common algorithm for host key; we offered: [ssh-rsa]",
    );
  });

  it.each(["", "SHA256:AAAA", "ssh-ed25519 AAAA"])("refuses %j as a host key", async (hostKey) => {
    await expect(run("true", {}, { hostKey })).rejects.toThrow("failed to parse host key: ssh: no key found");
  });

  it("refuses a private key that may not log in", async () => {
    await expect(run("true", {}, { privateKey: sshd.strangerKey })).rejects.toThrow(
      "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain",
    );
  });

  it("opens an encrypted private key", async () => {
    const encrypted = { privateKey: sshd.encryptedKey };
    expect(await output("echo ok", {}, { ...encrypted, privateKeyPassword: "passphrase" })).toBe("ok");
    await expect(run("true", {}, encrypted)).rejects.toThrow("ssh: this private key is passphrase protected");
    await expect(run("true", {}, { ...encrypted, privateKeyPassword: "wrong" })).rejects.toThrow(
      "x509: decryption password incorrect",
    );
    await expect(run("true", {}, { privateKey: "no key" })).rejects.toThrow("ssh: no key found");
    await expect(run("true", {}, { privateKeyPassword: "needless" })).rejects.toThrow(
      "ssh: key is not password protected",
    );
  });

  it("tries as often as dialErrorLimit says and once more", async () => {
    const port = await freePort();
    await expect(run("true", {}, { port, dialErrorLimit: 2 })).rejects.toThrow(
      `after 2 failed attempts: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
    expect(command.log.map(({ message }) => message)).toEqual([
      "Dial 1/2 failed: retrying",
      "Dial 2/2 failed: retrying",
    ]);
  });

  it("sets variables the server accepts, and starts nothing when it refuses one", async () => {
    expect(await output("echo $GOOD_ONE", { environment: { GOOD_ONE: "yes" } })).toBe("yes");
    const environment = { GOOD_ONE: "yes", BAD: "no" };
    command.log.splice(0);
    await expect(run(`touch ${sshd.directory}/started`, { environment })).rejects.toThrow(
      /^could not set environment variable "BAD": ssh: setenv failed$/,
    );
    expect(existsSync(join(sshd.directory, "started"))).toBe(false);
    expect(command.log).toEqual([{ severity: "error", message: expect.stringContaining("Unable to set 'BAD'") }]);
  });

  it("only warns when the server refuses the previous output", async () => {
    const { id, inputs, outputs } = await created(REMOTE, { create: "echo one", connection: secret(connection()) });
    command.log.splice(0);
    const after = { ...inputs, create: 'echo "[$PULUMI_COMMAND_STDOUT]"', logging: "none" };
    expect((await command.update(REMOTE, id, inputs, outputs, after)).stdout).toBe("[]");
    expect(command.log).toEqual([
      { severity: "warning", message: expect.stringContaining("Unable to set 'PULUMI_COMMAND_STDOUT'") },
    ]);
    command.log.splice(0);
    await command.update(REMOTE, id, inputs, outputs, { ...after, addPreviousOutputInEnv: false });
    expect(command.log).toEqual([]);
  });

  it("uses the connection in the state to delete", async () => {
    const { id, outputs } = await created(REMOTE, { create: "true", connection: secret(connection()) });
    await command.delete(REMOTE, id, { ...outputs, delete: `touch ${sshd.directory}/deleted` });
    expect(existsSync(join(sshd.directory, "deleted"))).toBe(true);
  });

  it("goes through a proxy, whose failures it names", async () => {
    const { port } = sshd;
    expect(await output("echo ok", {}, { proxy: connection() })).toBe("ok");
    await expect(run("true", {}, { port, proxy: connection({ hostKey: sshd.otherHostKey }) })).rejects.toThrow(
      /^proxy: after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch$/,
    );
  });

  it("asks an agent for a key", async () => {
    const agentSocketPath = join(sshd.directory, "agent");
    const agent = spawn("ssh-agent", ["-D", "-a", agentSocketPath], { stdio: ["ignore", "pipe", "ignore"] });
    await once(agent.stdout, "data");
    const add = spawn("ssh-add", ["-q", join(sshd.directory, "client")], {
      env: { ...process.env, SSH_AUTH_SOCK: agentSocketPath },
    });
    expect(await once(add, "close")).toEqual([0, null]);
    const { privateKey, ...keyless } = connection({ agentSocketPath });
    const { outputs } = await command.create(REMOTE, { create: "echo ok", connection: secret(keyless) });
    agent.kill();
    expect(outputs.stdout).toBe("ok");
  });

  it("is updated in place by a change of its connection", async () => {
    const before = { create: "true", connection: secret(connection()) };
    const outputs = { ...before, stdout: "", stderr: "" };
    const after = { ...before, connection: secret(connection({ perDialTimeout: 5 })) };
    const { changed, replaced } = await command.diff(REMOTE, "thing1", before, outputs, after);
    expect(changed.map((path) => path.split(".")[0])).toEqual(["connection"]);
    expect(replaced).toEqual([]);
  });
});

describe("random", () => {
  let random: Plugin;
  beforeAll(async () => {
    random = await Plugin.start("random", "4.21.2");
    await random.configure({});
  });
  afterAll(() => random?.stop());

  const PASSWORD = "random:index/randomPassword:RandomPassword";
  const defaults = {
    ...{ lower: true, upper: true, numeric: true, number: true, special: true },
    ...{ minLower: 0, minUpper: 0, minNumeric: 0, minSpecial: 0 },
  };

  it("makes a password of the kinds asked for, secret with its hash", async () => {
    const inputs = { length: 40, special: false, minNumeric: 20 };
    const { id, outputs } = await random.create(PASSWORD, inputs);
    const { result, bcryptHash, ...plain } = outputs as { result: { value: string }; bcryptHash: { value: string } };
    expect(id).toBe("none");
    expect(plain).toEqual({ ...defaults, ...inputs, id: "none" });
    expect(result).toEqual(secret(expect.stringMatching(/^[A-Za-z0-9]{40}$/) as never));
    expect(result.value.replace(/\D/g, "").length).toBeGreaterThanOrEqual(20);
    expect(bcryptHash).toEqual(secret(expect.stringMatching(/^\$2[aby]\$10\$/) as never));
  });

  it("tells nothing in a preview but what was given", async () => {
    const { outputs } = await random.create(PASSWORD, { length: 9 }, true);
    expect(outputs).toEqual({ ...defaults, length: 9, id: UNKNOWN, result: UNKNOWN, bcryptHash: UNKNOWN });
  });

  it("never makes the same twice", async () => {
    const one = await random.create(PASSWORD, { length: 30 });
    const other = await random.create(PASSWORD, { length: 30 });
    expect(one.outputs.result).not.toEqual(other.outputs.result);
  });

  it.each([
    ["keepers", { keepers: { k: "b" } }, ["keepers"]],
    ["length", { length: 21 }, ["length"]],
    ["a default spelled out", { upper: true }, []],
    ["nothing", {}, []],
  ])("is replaced by a change of %s", async (_, change, replaced) => {
    const inputs = { length: 20, keepers: { k: "a" } };
    const outputs = { ...defaults, ...inputs, id: "none", result: "x".repeat(20), bcryptHash: "$2a$10$x" };
    const found = await random.diff(PASSWORD, "none", inputs, outputs, { ...inputs, ...change });
    expect(found.replaced).toEqual(replaced);
  });

  it("is left alone by a refresh, still secret", async () => {
    const inputs = { length: 20 };
    const { id, outputs } = await random.create(PASSWORD, inputs);
    const found = await random.read(PASSWORD, id, inputs, revealAll(outputs));
    expect(found?.inputs).toEqual(inputs);
    expect(found?.outputs.result).toEqual(outputs.result);
  });

  it("shows one identifier in several forms", async () => {
    const { id, outputs } = await random.create("random:index/randomId:RandomId", { byteLength: 8, prefix: "p-" });
    const bytes = Buffer.from(id, "base64url");
    const forms = {
      b64Url: id,
      b64Std: bytes.toString("base64"),
      hex: bytes.toString("hex"),
      dec: BigInt(`0x${bytes.toString("hex")}`).toString(),
    };
    const prefixed = Object.fromEntries(Object.entries(forms).map(([name, form]) => [name, `p-${form}`]));
    expect(bytes).toHaveLength(8);
    expect(outputs).toEqual({ byteLength: 8, prefix: "p-", id, ...prefixed });
  });

  it("makes a UUID, a string and an integer", async () => {
    const uuid = await random.create("random:index/randomUuid:RandomUuid", {});
    expect(uuid.outputs).toEqual({
      id: uuid.id,
      result: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    });
    const string = await random.create("random:index/randomString:RandomString", { length: 5 });
    expect(string.outputs).toEqual({ ...defaults, length: 5, id: string.id, result: string.id });
    const integer = await random.create("random:index/randomInteger:RandomInteger", { min: 1, max: 3 });
    expect([1, 2, 3]).toContain(integer.outputs.result);
    expect(integer.id).toBe(String(integer.outputs.result));
  });
});
