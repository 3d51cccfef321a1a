import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type SandboxHost, startHost } from "../../sandbox/host/host";
import { findZot } from "../../sandbox/parts";
import { dockerConfigJson, type HandOver } from "../../src/credentials/handover";
import { file } from "../../src/credentials/publish/file";
import type { FileDestination } from "../../src/settings/publish";

const handover: HandOver = {
  registry: "registry.example.test",
  username: "zot-ci",
  apiKey: `zak_${"2e".repeat(16)}`,
  expiresAt: "2030-01-01T00:00:00Z",
};
const rotated = { ...handover, apiKey: `zak_${"3d".repeat(16)}` };
const OTHER = { "other.example.test": { auth: "b3RoZXI6bG9naW4=" } };

let directory: string;
let host: SandboxHost;
let path: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "harden-zot-publish-"));
  host = await startHost({ directory: join(directory, "host"), zot: findZot().where });
});
beforeEach(() => {
  rmSync(join(directory, "files"), { recursive: true, force: true });
  mkdirSync(join(directory, "files"));
  path = join(directory, "files", "config.json");
});
afterAll(() => {
  host.stop();
  rmSync(directory, { recursive: true });
});

function destination(change: Partial<FileDestination> = {}): FileDestination {
  const { address, port, user, hostKey, privateKeyFile } = host.ssh;
  return { address, port, user, hostKey, privateKeyFile, path, content: "dockerConfig", ...change };
}

const modeOf = () => statSync(path).mode & 0o777;
const auths = () => JSON.parse(readFileSync(path, "utf8")).auths;
const ours = (from: HandOver) => JSON.parse(dockerConfigJson(from)).auths;

describe("a docker config on a host", () => {
  it("is written for its owner alone, changed at a rotation and taken away", async () => {
    const publisher = file(destination());
    expect(await publisher.publish(handover)).toEqual([path]);
    expect([auths(), modeOf()]).toEqual([ours(handover), 0o600]);
    await publisher.publish(rotated);
    expect(auths()).toEqual(ours(rotated));
    await publisher.withdraw(rotated);
    expect(readdirSync(join(directory, "files"))).toEqual([]);
    await publisher.withdraw(rotated);
  });

  it("keeps the other logins and settings in it", async () => {
    writeFileSync(path, JSON.stringify({ auths: OTHER, proxies: { default: {} } }), { mode: 0o644 });
    const publisher = file(destination());
    await publisher.publish(handover);
    expect([auths(), modeOf()]).toEqual([{ ...OTHER, ...ours(handover) }, 0o600]);
    await publisher.withdraw(handover);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ auths: OTHER, proxies: { default: {} } });
  });

  it("is left alone when somebody has logged in with something else since", async () => {
    const publisher = file(destination());
    await publisher.publish(rotated);
    await publisher.withdraw(handover);
    expect(auths()).toEqual(ours(rotated));
  });

  it("is made private although it says the right thing", async () => {
    const publisher = file(destination());
    await publisher.publish(handover);
    chmodSync(path, 0o644);
    await publisher.publish(handover);
    expect(modeOf()).toBe(0o600);
  });

  it.each([
    ["what is no docker config", "not JSON: hunter2", /is no docker config.*left as it is/],
    ["one that keeps its logins elsewhere", '{"credsStore":"pass"}', /credential store.*name another path/],
  ])("does not overwrite %s", async (_, content, message) => {
    writeFileSync(path, content);
    const failure = await file(destination())
      .publish(handover)
      .catch((error) => error);
    expect(failure.message).toMatch(message);
    expect(failure.message).not.toContain("hunter2");
    expect(readFileSync(path, "utf8")).toBe(content);
  });
});

describe("the bare key on a host", () => {
  it("is the whole file, and goes only while it is ours", async () => {
    const publisher = file(destination({ content: "apiKey" }));
    await publisher.publish(handover);
    expect([readFileSync(path, "utf8"), modeOf()]).toEqual([`${handover.apiKey}\n`, 0o600]);
    await publisher.withdraw(rotated);
    expect(existsSync(path)).toBe(true);
    await publisher.withdraw(handover);
    expect(existsSync(path)).toBe(false);
  });
});

describe("what goes wrong is one sentence without a secret", () => {
  const another = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFAkJFdMp4+lyNATKqECyzlGm2AJYbVtPjNKTjHL/x3s";
  it.each<[string, () => Promise<Partial<FileDestination>>, RegExp]>([
    [
      "another host's key",
      async () => ({ hostKey: another }),
      /host key that publish\.file pins.*What was done until now stays: mend it, and the next run goes on from there\.$/,
    ],
    ["nobody listens", async () => ({ port: 1 }), /cannot be reached \(ECONNREFUSED\).*What was done until now stays/],
    ["no such directory", async () => ({ path: "/nonexistent/config.json" }), /no directory \/nonexistent; make it/],
    [
      "no key file",
      async () => ({ privateKeyFile: "/nonexistent" }),
      /^publish\.file: privateKeyFile = "\/nonexistent"/,
    ],
  ])("%s", async (_, change, message) => {
    const failure = await file(destination(await change()))
      .publish(handover)
      .catch((error) => error);
    expect(failure.message).toMatch(message);
    expect(failure.message).not.toContain("\n");
    expect(failure.message).not.toContain(handover.apiKey);
  });
});
