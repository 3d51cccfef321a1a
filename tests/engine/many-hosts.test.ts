import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { basicAuth, pushImage } from "../../sandbox/distribution";
import { sshConnections } from "../../sandbox/host/host";
import { type Registry, type Sandbox, startSandbox } from "../../sandbox/sandbox";
import type { Run } from "../../sandbox/stack";
import type { RawSettings } from "../../src/settings/settings";
import { tinyImage } from "../../src/verify/image";

const directory = ({ host }: Registry) => join(host.configDirectory, "..");
const liveConfig = ({ host }: Registry) => readFileSync(join(host.configDirectory, "config.json"), "utf8");

/** What the running zot says, which is not always what its file says. */
async function realm({ url }: Registry): Promise<string | undefined> {
  const answer = await fetch(`${url}/v2/`, { headers: basicAuth("nobody", "wrong") });
  return /realm="([^"]*)"/.exec(answer.headers.get("www-authenticate") ?? "")?.[1];
}

/**
 * A zot that passes every check of a configuration and then does not come up with it.
 * @param when shell condition on that configuration, "$2"
 * @returns what mends it
 */
function breakZot(registry: Registry, when: string): () => void {
  const zot = registry.host.zot;
  renameSync(zot, `${zot}.good`);
  const broken = `case "$1" in serve) ${when} && exit 1 ;; esac\nexec '${zot}.good' "$@"\n`;
  writeFileSync(zot, `#!/bin/sh\n${broken}`, { mode: 0o755 });
  return () => renameSync(`${zot}.good`, zot);
}

/** One life of a stack of three hosts, in order. */
describe("three hosts", () => {
  let sandbox: Sandbox;
  let three: [Registry, Registry, Registry];
  /** SSH connections that each host let in since the last call. */
  let connections: () => number[];

  const withRealm = (name: string): RawSettings => {
    const settings = sandbox.settings();
    Object.assign(settings["harden-zot:registry"] as object, { realm: name });
    return settings;
  };
  const succeeded = ({ code, output }: Run) => expect(code, output).toBe(0);
  const realms = () => Promise.all(three.map(realm));

  beforeAll(async () => {
    sandbox = await startSandbox(() => {}, 3);
    three = sandbox.registries as typeof three;
    let before = three.map(() => 0);
    connections = () => {
      const now = three.map((registry) => sshConnections(directory(registry)));
      const since = now.map((count, index) => count - (before[index] as number));
      before = now;
      return since;
    };
  });
  afterAll(() => sandbox?.stop());

  it("are hardened, over six SSH connections each", async () => {
    succeeded(await sandbox.stack.up());
    expect(connections()).toEqual([6, 6, 6]);
    for (const { url } of three) {
      expect((await pushImage(url, "team/app", "v9.9.9-abcdef0", tinyImage("attack"))).status).toBe(401);
    }
    expect(Object.keys((await sandbox.stack.outputs()).configSha256 as object)).toEqual(three.map(({ name }) => name));
  });

  it("are asked over one SSH connection each when nothing changes", async () => {
    succeeded(await sandbox.stack.up("--expect-no-changes"));
    expect(connections()).toEqual([1, 1, 1]);
  });

  it("take a changed rule over two", async () => {
    const settings = sandbox.settings();
    Object.assign(settings["harden-zot:access"] as object, { anonymous: [] });
    sandbox.stack.configure(settings);
    succeeded(await sandbox.stack.up());
    expect(connections()).toEqual([2, 2, 2]);
    for (const { url } of three) expect((await fetch(`${url}/v2/_catalog`)).status).toBe(401);
  });

  it("are delivered one after the other: the first failure stops it, and says who is done and who is untouched", async () => {
    const [first, second, third] = three;
    const before = three.map(liveConfig);
    const mend = breakZot(second, 'grep -q mended "$2"');
    connections();
    try {
      sandbox.stack.configure(withRealm("mended"));
      const { code, output } = await sandbox.stack.up();
      expect(code, output).not.toBe(0);
      expect(output).toMatch(
        /registry-host-2 could not be delivered.*Delivered: registry-host\. Untouched: registry-host-3\./,
      );
      expect(output).toMatch(
        /did not come up with the new configuration.*the last good configuration is back and serving/,
      );
    } finally {
      mend();
    }
    expect(liveConfig(first)).toContain('"realm": "mended"');
    expect([liveConfig(second), liveConfig(third)]).toEqual(before.slice(1));
    expect(await realms()).toEqual(["mended", "zot", "zot"]);
    expect(connections()).toEqual([2, 2, 1]);
  });

  it("go on from there once the second is mended", async () => {
    succeeded(await sandbox.stack.up());
    expect(await realms()).toEqual(["mended", "mended", "mended"]);
    succeeded(await sandbox.stack.up("--expect-no-changes"));
  });

  it("heal one that drifted over five connections, and leave the others alone", async () => {
    connections();
    rmSync(join(three[1].host.configDirectory, "harden-zot/secrets"), { recursive: true });
    succeeded(await sandbox.stack.up());
    expect(connections()).toEqual([1, 5, 1]);
  });

  it("are given back in reverse order, and a failure stops that too", async () => {
    const [first, second, third] = three;
    const mend = breakZot(second, '! grep -q accessControl "$2"');
    expect(liveConfig(second)).toContain("accessControl");
    try {
      const { code } = await sandbox.stack.destroy();
      expect(code).not.toBe(0);
    } finally {
      mend();
    }
    expect([first, second, third].map((one) => liveConfig(one).includes("accessControl"))).toEqual([true, true, false]);
    expect((await pushImage(first.url, "team/app", "v9.9.9-abcdef0", tinyImage("attack"))).status).toBe(401);
    succeeded(await sandbox.stack.destroy());
    for (const { url } of three) {
      expect((await pushImage(url, "team/app", "v1.0.1-abcdef0", tinyImage("open"))).status).toBe(201);
    }
  });
});
