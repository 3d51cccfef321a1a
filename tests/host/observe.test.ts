import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SandboxHost, startHost } from "../../sandbox/host/host";
import { findZot } from "../../sandbox/parts";
import { observe, readAnswer } from "../../src/host/observe";
import { OperatorError } from "../../src/operator/error";
import { hostsSettings } from "../../src/settings/hosts";

describe("observe", () => {
  let directory: string;
  let host: SandboxHost;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "harden-zot-observe-"));
    host = await startHost({ directory: join(directory, "host"), zot: findZot().where });
  });
  afterAll(() => {
    host.stop();
    rmSync(directory, { recursive: true });
  });

  const settings = (change: object = {}) => {
    const { address, hostKey, port, privateKeyFile, user } = host.ssh;
    const { configDirectory, service, zot } = host;
    const entry = { address, port, user, hostKey, privateKeyFile, configDirectory, service, zot, ...change };
    return hostsSettings.parse([entry])[0] as ReturnType<typeof hostsSettings.parse>[0];
  };

  it("asks a host that was never hardened by an agent that leaves nothing there", async () => {
    const { kind, status } = await observe(settings());
    expect({ kind, ...status }).toMatchObject({
      ...{ kind: "bare", agent: null, owner: null, life: null, original: null, applied: null, drift: [] },
      place: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
    expect(readdirSync(host.configDirectory)).toEqual([]);
  });

  it("takes what lies there without a line for no agent", async () => {
    mkdirSync(join(host.configDirectory, "harden-zot"));
    writeFileSync(join(host.configDirectory, "harden-zot/agent.sh"), "");
    expect(await observe(settings())).toMatchObject({ kind: "bare" });
    writeFileSync(join(host.configDirectory, "harden-zot/agent.sh"), "echo nothing of this is run\n");
    expect(await observe(settings())).toMatchObject({ kind: "installed" });
  });

  it("knows one directory of one machine under any address, and one beside it", async () => {
    const place = async (change: object) => (await observe(settings(change))).status.place;
    const [here, again, beside] = [{}, { address: "localhost" }, { configDirectory: join(directory, "host") }];
    expect(await place(again)).toBe(await place(here));
    expect(await place(beside)).not.toBe(await place(here));
  });

  it("refuses a directory that is not there, and says how it is made", async () => {
    await expect(observe(settings({ configDirectory: "/nowhere/zot" }))).rejects.toThrow(
      /the directory \/nowhere\/zot is not there: make it, owned by the user zot runs as \(install -d -m 700 -o USER \/nowhere\/zot\)/,
    );
  });

  it("reads an answer behind a greeting, and refuses one that is followed by words", () => {
    expect(readAnswer(settings(), 'Welcome\n{"heal":3}\n')).toEqual({ heal: 3 });
    expect(() => readAnswer(settings(), '{"heal":3}\nGoodbye\n')).toThrow(/"Goodbye".*start-up files/);
  });

  it.each([
    [
      "encrypted",
      (file: string) => void execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "hunter2", "-f", file]),
    ],
    ["no key at all", (file: string) => writeFileSync(file, "not a key\n")],
  ])("says what to do about a key file that is %s, without its content", async (name, write) => {
    const privateKeyFile = join(directory, name.replaceAll(" ", "-"));
    write(privateKeyFile);
    const failure = await observe(settings({ privateKeyFile })).catch((error: Error) => error);
    expect(failure).toBeInstanceOf(OperatorError);
    expect((failure as Error).message).toMatch(/privateKeyFile = .* (is encrypted|cannot be used).* ssh-add/);
    expect((failure as Error).message).not.toContain(readFileSync(privateKeyFile, "utf8").trim());
  });
});
