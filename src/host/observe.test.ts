import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SandboxHost, startHost } from "../../sandbox/host/host";
import { findZot } from "../../sandbox/parts";
import { OperatorError } from "../settings/errors";
import { hostsSettings } from "../settings/hosts";
import { observe } from "./observe";

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

  it("finds no agent on a host that was never hardened", async () => {
    expect(await observe(settings())).toBeUndefined();
  });

  it("reads the status behind a greeting, and refuses one that is followed by words", async () => {
    const agent = join(host.configDirectory, "harden-zot");
    execFileSync("mkdir", ["-p", agent]);
    writeFileSync(join(agent, "agent.sh"), `echo Welcome; echo '{"heal":3}'\n`);
    expect(await observe(settings())).toEqual({ heal: 3 });
    writeFileSync(join(agent, "agent.sh"), `echo '{"heal":3}'; echo Goodbye\n`);
    await expect(observe(settings())).rejects.toThrow(/"Goodbye".*start-up files/);
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
