import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  AgentDriver,
  hardened,
  openConfig,
  startIssuer,
  type TestIssuer,
  withRealm,
} from "../../sandbox/host/agent-driver";
import { type SandboxHost, startHost } from "../../sandbox/host/host";
import { FakeManagers } from "../../sandbox/host/managers";
import { findZot } from "../../sandbox/parts";
import { freePort, waitForHttp } from "../../sandbox/process";
import { serializeConfig } from "../../src/config/render";
import { agentCommand, statusCommand } from "../../src/host/agent";
import type { ServiceSettings } from "../../src/settings/hosts";
import type { ZotConfig } from "../../src/zot/types";

const AGENT = readFileSync(resolve(__dirname, "../../src/host/agent.sh"), "utf8");

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
    // How the zot before it ended.
    expect(broken.stderr).not.toContain("Server closed");

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

describe("a manager that refuses the login is quoted, in the status and before anything is changed", () => {
  const DENIED = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock";
  const DOWN = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
  const docker: ServiceSettings = { manager: "docker", name: "zot" };
  const systemd: ServiceSettings = { manager: "systemd", name: "zot", scope: "system" };
  const command: ServiceSettings = {
    manager: "command",
    ...{ start: ["systemctl", "start"], stop: ["systemctl", "stop"], status: ["systemctl", "status"] },
  };

  it.each<[string, ServiceSettings, boolean, string]>([
    ["docker", docker, false, DENIED],
    ["docker", docker, false, DOWN],
    ["sudo", docker, true, "sudo: a password is required"],
    ["sudo", systemd, true, "sudo: sorry, you must have a tty to run sudo"],
    ["sudo", command, true, "sudo: a password is required"],
    ["sudo", { manager: "launchd", name: "zot" }, true, "sudo: a password is required"],
    ["systemctl", systemd, false, "System has not been booted with systemd as init system (PID 1). Can't operate."],
  ])("%s, for %j", async (tool, service, sudo, words) => {
    writeFileSync(join(managers.directory, tool), `#!/bin/sh\necho "${words}" >&2\nexit 1\n`, { mode: 0o755 });
    const agent = await managedBy(service);
    const trouble = `the service manager did not let ${userInfo().username} ask for ${service.manager === "command" ? "command" : "zot"}: ${words} (docs/hosts.md has what each manager needs)`;
    const there = { ...host, service, sudo };
    const status = await agent.run(statusCommand(there), AGENT);
    expect(JSON.parse(status.stdout)).toMatchObject({ service: "refused", trouble: [trouble] });
    const activation = agentCommand(there, "activate", { restart: "print" });
    const { code, stderr } = await agent.run(activation, serializeConfig(config));
    expect({ code, stderr }).toEqual({ code: 1, stderr: `harden-zot: ${trouble}; nothing was changed\n` });
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

describe("a container that runs", () => {
  const docker: ServiceSettings = { manager: "docker", name: "zot" };
  const network = (mode: string, ports: object) =>
    writeFileSync(join(directory, "network"), `${mode} ${JSON.stringify(ports)}\n`);
  const shownAs = (hostPort: string) => ({ [`${open.http.port}/tcp`]: [{ HostIp: "", HostPort: hostPort }] });
  const curlEnds = (code: number) => writeFileSync(join(directory, "curl-ends"), `${code}\n`);
  const runs = () => managers.calls().filter((call) => call.startsWith("docker run "));
  const configInPlace = () => readFileSync(join(host.configDirectory, "config.json"), "utf8");

  it("is asked for its version and its verdict, and no other one is started for that", async () => {
    const agent = await managedBy(docker);
    await agent.status();
    expect(managers.calls()).toContain(`docker exec zot ${host.zot} --version`);
    expect((await agent.activate(config)).code).toBe(0);
    expect(managers.calls()).toContain(
      `docker exec zot ${host.zot} verify ${host.configDirectory}/harden-zot/txn/candidate.json`,
    );
    const misspelt = { ...config, http: { ...config.http, accesscontrols: { a: 1 } } } as ZotConfig;
    expect((await agent.activate(misspelt)).stderr).toMatch(/\(zot verify\): .*invalid keys: accesscontrols/);
    expect(runs()).toEqual([]);
  });

  it.each<[string, () => object, string]>([
    ["another number", () => shownAs("19747"), "19747"],
    ["no number", () => ({}), "no port of it"],
    ["the number of another port", () => ({ "1/tcp": [{ HostPort: open.http.port }] }), "no port of it"],
  ])("and is shown under %s is refused before the switch", async (_, ports, shown) => {
    const agent = await managedBy(docker);
    network("default", ports());
    const { port } = open.http;
    expect(await agent.activate(config)).toMatchObject({
      code: 1,
      stderr: `harden-zot: zot listens on ${port} in the container and the host shows ${shown}: publish it under the same number (-p ${port}:${port}); nothing was changed\n`,
    });
    expect(configInPlace()).toBe(serializeConfig(open));
  });

  it.each(["host", "container:0f1e"])("in the network of %s needs to show nothing", async (mode) => {
    const agent = await managedBy(docker);
    network(mode, {});
    expect((await agent.activate(config)).code).toBe(0);
  });

  it("in a network of its own is where the issuer is asked from", async () => {
    const agent = await managedBy(docker);
    network("default", shownAs(open.http.port as string));
    curlEnds(7);
    const { url } = issuer;
    expect(await agent.activate(config)).toMatchObject({
      code: 1,
      stderr: `harden-zot: the OIDC issuer ${url} cannot be discovered from the container zot (curl: of the container); zot would not start: is the issuer up, and does the container zot resolve and trust it?; nothing was changed\n`,
    });
    expect(configInPlace()).toBe(serializeConfig(open));
    const tools = ["/bin", "/lib", "/lib64", "/usr"].filter((path) => existsSync(path));
    const mounts = tools.map((path) => `-v ${path}:${path}:ro`).join(" ");
    expect(runs()).toEqual([
      `docker run --rm --network container:zot --volumes-from zot ${mounts} --entrypoint /usr/bin/env sha256:5f1c curl -sS -L -m 10 -w \\n%{http_code} ${url}.well-known/openid-configuration`,
    ]);

    rmSync(join(directory, "curl-ends"));
    expect((await agent.activate(config)).code).toBe(0);
  });

  it("once, and is stopped, has the issuer asked from a network of that name", async () => {
    const agent = await managedBy(docker);
    network("registries", shownAs(open.http.port as string));
    await agent.run(host.service.stop.join(" "), "");
    expect((await agent.activate(config)).code).toBe(0);
    expect(runs()).toContainEqual(expect.stringMatching(/^docker run --rm --network registries .* curl /));
  });

  it.each([1, 77, 125, 126, 127])("where this host's curl ends with %d has the host ask", async (code) => {
    const agent = await managedBy(docker);
    network("default", shownAs(open.http.port as string));
    curlEnds(code);
    expect((await agent.activate(config)).code).toBe(0);
    issuer.close();
    expect((await agent.activate(withRealm(config, "next"))).stderr).toContain("cannot be discovered from this host (");
  });
});
