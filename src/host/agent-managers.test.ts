import { mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AgentDriver, hardened, openConfig, startIssuer, type TestIssuer } from "../../sandbox/host/agent-driver";
import { type SandboxHost, startHost } from "../../sandbox/host/host";
import { FakeManagers } from "../../sandbox/host/managers";
import { findZot } from "../../sandbox/parts";
import { freePort, waitForHttp } from "../../sandbox/process";
import type { ServiceSettings } from "../settings/hosts";
import { serializeConfig } from "../zot/config";
import type { ZotConfig } from "../zot/types";
import { agentCommand } from "./agent";

let directory: string;
let host: SandboxHost;
let issuer: TestIssuer;
let open: ZotConfig;
let config: ZotConfig;
let managers: FakeManagers;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "harden-zot-managers-"));
  issuer = await startIssuer();
  open = openConfig(directory, await freePort());
  host = await startHost({ directory, zot: findZot().where, config: serializeConfig(open) });
  managers = new FakeManagers(directory);
  mkdirSync(join(directory, "Library/LaunchAgents"), { recursive: true });
  writeFileSync(join(directory, "Library/LaunchAgents/zot.plist"), "");
  await waitForHttp(`http://127.0.0.1:${open.http.port}/readyz`);
});

afterEach(() => {
  host.stop();
  issuer.close();
  rmSync(directory, { recursive: true });
});

async function managedBy(service: ServiceSettings): Promise<AgentDriver> {
  const env = { ...process.env, HOME: directory, PATH: `${managers.directory}:${process.env.PATH}` };
  const agent = new AgentDriver({ ...host, service } as unknown as SandboxHost, { env });
  await agent.install();
  const { stdout } = await agent.call(
    "put-secret",
    { name: "oidc-credentials" },
    '{"clientid":"a","clientsecret":"b"}',
  );
  config = hardened(open, issuer.url, stdout.trim());
  return agent;
}

const SERVICES: ServiceSettings[] = [
  { manager: "systemd", name: "zot", scope: "system" },
  { manager: "systemd", name: "zot", scope: "user" },
  { manager: "launchd", name: "zot" },
  { manager: "docker", name: "zot" },
  { manager: "podman", name: "zot" },
];

describe.each(SERVICES)("a service of $manager", (service) => {
  it("is restarted, watched, rolled back with its last errors, stopped and started", async () => {
    const agent = await managedBy(service);
    expect(await agent.status()).toMatchObject({ service: "running", healthy: true });
    expect(JSON.parse((await agent.activate(config)).stdout)).toMatchObject({ action: "restarted" });
    expect(await agent.status()).toMatchObject({ guarded: true, healthy: true, drift: [] });

    const broken = await agent.activate({ ...config, storage: { rootDirectory: join(host.zot, "no-such-directory") } });
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(/the last good configuration is back and serving\n {2}zot: .*no-such-directory/);

    await agent.call("restore");
    expect(await agent.status()).toMatchObject({ service: "running", healthy: true, applied: null });
  });

  it("is named in the error when the manager does not know it", async () => {
    rmSync(join(directory, "Library"), { recursive: true });
    const agent = await managedBy({ ...service, name: "zto" } as ServiceSettings);
    expect(await agent.status()).toMatchObject({ service: "missing" });
    const { stderr } = await agent.activate(config);
    expect(stderr).toMatch(/the service manager does not know zto \(service=\S+:zto\): .*; nothing was changed\n$/);
  });
});

it("stops a launchd job by unloading it, and loads it again from its plist", async () => {
  const agent = await managedBy({ manager: "launchd", name: "zot" });
  await agent.run(host.service.stop.join(" "), "");
  unlinkSync(join(host.configDirectory, "config.json"));
  expect((await agent.activate(config)).code).toBe(0);
  await agent.call("restore");
  expect(await agent.status()).toMatchObject({ service: "stopped" });
  expect(managers.calls()).toContainEqual(expect.stringMatching(/^launchctl bootout gui\/\d+\/zot$/));
  await agent.call("put-secret", { name: "oidc-credentials" }, '{"clientid":"a","clientsecret":"b"}');
  expect((await agent.activate(config)).code).toBe(0);
  // Twice it is told that the job drains still.
  const bootstrap = `launchctl bootstrap gui/${process.getuid?.()} ${directory}/Library/LaunchAgents/zot.plist`;
  expect(managers.calls().filter((call) => call.startsWith("launchctl bootstrap"))).toEqual(Array(3).fill(bootstrap));
});

it("uses sudo for the service manager and for nothing else", async () => {
  const service: ServiceSettings = { manager: "systemd", name: "zot", scope: "system" };
  const agent = await managedBy(service);
  const command = agentCommand({ ...host, service, sudo: true }, "activate", { restart: "print" });
  expect((await agent.run(command, serializeConfig(config))).code).toBe(0);
  const sudo = managers.calls().filter((call) => call.startsWith("sudo"));
  expect(sudo).toContain("sudo -n systemctl restart zot");
  expect(new Set(sudo.map((call) => call.split(" ")[2]))).toEqual(new Set(["systemctl"]));
});

it("verifies inside the image of a container, which need not run", async () => {
  const agent = await managedBy({ manager: "docker", name: "zot" });
  await agent.run(host.service.stop.join(" "), "");
  expect((await agent.activate(config)).code).toBe(0);
  expect(managers.calls()).toContain(
    `docker run --rm --network none --volumes-from zot --entrypoint ${host.zot} sha256:5f1c verify ${host.configDirectory}/harden-zot/txn/candidate.json`,
  );
  expect(readFileSync(join(host.configDirectory, "config.json"), "utf8")).toBe(serializeConfig(config));
});
