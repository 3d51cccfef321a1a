import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { login, type RegistrySession } from "../src/credentials/login";
import { parseSettings, type RawSettings } from "../src/settings/settings";
import { tinyImage } from "../src/verify/image";
import { type Image, type StackOutputs, type Target, targetOf } from "../src/verify/target";
import { type AuthentikPart, findAuthentik } from "./authentik-part";
import { pushImage } from "./distribution";
import { type SandboxHost, startHost, stopHost } from "./host/host";
import { findZot, type Part } from "./parts";
import { type Person, requireNothingLeft, type Settled, settleAdmin, unsettleAdmin } from "./people";
import { atExit, type Daemon, freePort, killDaemon, stopDaemon, waitForHttp } from "./process";
import { ensurePulumi, type Pulumi } from "./pulumi/pulumi";
import { Stack, type StackOptions } from "./stack";
import { startUpstream, UPSTREAM_IMAGE } from "./upstream";

/** What every name begins with: nothing else in a real Authentik does, nor does another sandbox beside this one. */
export const NAME = `zot-sandbox-${randomBytes(3).toString("hex")}`;
export const ADMINS = `${NAME}-admins`;

const EXISTING_IMAGE = { repository: "team/app", tag: "v1.0.0-abcdef0" };

/** A registry host, and where its zot answers. */
export interface Registry {
  name: string;
  host: SandboxHost;
  port: number;
  url: string;
}

const CACHED_IMAGE = { ...UPSTREAM_IMAGE, repository: `docker.io/${UPSTREAM_IMAGE.repository}` };

export interface Sandbox {
  directory: string;
  parts: Part[];
  authentik: AuthentikPart;
  admin: Person;
  /** The first registry host. */
  host: SandboxHost;
  registryUrl: string;
  /** All of them, in the order of delivery. */
  registries: Registry[];
  stack: Stack;
  stackOptions: StackOptions;
  /** The settings the stack was created with: a fresh copy each time. */
  settings: () => RawSettings;
  /** An image that is in the registry before it is hardened. */
  existing: Image;
  /** What the pull-through cache finds upstream. */
  cached: Image;
  /** Logs in over OIDC as the admin. */
  adminSession: () => Promise<RegistrySession>;
  /** For verification, with the keys that the stack hands out by now. @param settings those it was applied with, if others */
  target: (settings?: RawSettings) => Promise<Target>;
  /** Ends every process and removes every file. */
  stop: () => Promise<void>;
  /** Leaves everything running when this process ends; `endKept` ends it. */
  keep: () => void;
}

/**
 * Registry hosts with an open zot each, an Authentik and Pulumi, all on loopback.
 * @param log told what is being set up
 * @param hosts how many registry hosts
 * @param authentik version of the stand-in, where none is given
 */
export async function startSandbox(log: (line: string) => void, hosts = 1, authentik?: string): Promise<Sandbox> {
  const pulumi = await ensurePulumi({ log });
  log("starting Authentik, an upstream registry and the registry host");
  const directory = mkdtempSync(join(tmpdir(), "harden-zot-"));
  const world = new World(directory);
  try {
    return await assemble(world, pulumi, hosts, authentik);
  } catch (error) {
    await world.end();
    throw error;
  }
}

/** What has to be ended again, in reverse. */
class World {
  readonly daemons: Daemon[] = [];
  readonly #steps: (() => unknown)[] = [];
  /** Forgets about Ctrl-C and failures: from then on the world outlives this process. */
  readonly keep: () => void;

  constructor(readonly directory: string) {
    this.keep = atExit(() => {
      for (const host of hostDirectories(directory)) stopHost(host);
      for (const daemon of this.daemons) killDaemon(daemon);
      rmSync(directory, { recursive: true, force: true });
    });
    this.later(() => rmSync(directory, { recursive: true, force: true }));
    this.later(this.keep);
  }

  later(step: () => unknown): void {
    this.#steps.push(step);
  }

  running(daemon: Daemon): void {
    this.daemons.push(daemon);
    this.later(() => stopDaemon(daemon));
  }

  /** @throws when something could not be ended, after all else was */
  async end(): Promise<void> {
    const failures: string[] = [];
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
    if (failures.length > 0) throw new Error(failures.join("\n"));
  }
}

async function assemble(world: World, pulumi: Pulumi, hosts: number, version?: string): Promise<Sandbox> {
  const { directory } = world;
  const zot = findZot();
  const { authentik, admin, settled } = await startIdentity(world, version);
  const upstream = await startUpstream(zot.where, join(directory, "upstream"));
  world.running(upstream.daemon);
  const registries: Registry[] = [];
  for (let index = 0; index < hosts; index++) registries.push(await startRegistry(world, zot.where, index));
  const { host, url: registryUrl } = registries[0] as Registry;
  const settings = () =>
    sandboxSettings({ authentikUrl: authentik.url, directory, registries, upstreamUrl: upstream.url });
  const { stack, stackOptions } = await createStack(world, pulumi, authentik, settings());
  return {
    directory,
    parts: [...pulumi.parts, zot, authentik.part],
    authentik,
    admin,
    host,
    registryUrl,
    registries,
    stack,
    stackOptions,
    settings,
    existing: EXISTING_IMAGE,
    cached: CACHED_IMAGE,
    adminSession: () => login({ registryUrl, ...admin }),
    target: async (applied = settings()) => ({
      ...targetOf(parseSettings(applied), {
        oidcIssuer: `${authentik.url}/application/o/${NAME}/`,
        redirectUri: `${registryUrl}/zot/auth/callback/oidc`,
        ...((await stack.outputs("--show-secrets")) as Partial<StackOutputs>),
      }),
      existing: EXISTING_IMAGE,
      cached: { "docker.io": CACHED_IMAGE },
    }),
    stop: () => world.end(),
    keep: () => {
      for (const registry of registries) registry.host.keep();
      world.keep();
      const kept: Kept = { directory, name: NAME, daemons: world.daemons, authentik, settled, stack: stackOptions };
      writeFileSync(KEPT, JSON.stringify(kept), { mode: 0o600 });
    },
  };
}

async function startIdentity(
  world: World,
  version?: string,
): Promise<{ authentik: AuthentikPart; admin: Person; settled: Settled }> {
  const authentik = await findAuthentik(join(world.directory, "authentik"), version);
  if (authentik.daemon) world.running(authentik.daemon);
  const { admin, settled } = await settleAdmin(authentik, ADMINS);
  if (authentik.part.kind === "real") world.later(() => requireNothingLeft(authentik, NAME));
  world.later(() => unsettleAdmin(authentik, settled));
  writeFileSync(join(world.directory, "admin-password"), `${admin.password}\n`, { mode: 0o600 });
  return { authentik, admin, settled };
}

/** The host with its open registry, and an image in it. */
async function startRegistry(world: World, zot: string, index: number): Promise<Registry> {
  const port = await freePort();
  const name = index === 0 ? "registry-host" : `registry-host-${index + 1}`;
  const directory = join(world.directory, "hosts", name);
  const host = await startHost({ directory, zot, config: openConfig(join(directory, "data"), port) });
  world.later(() => host.stop());
  const url = `http://127.0.0.1:${port}`;
  await waitForHttp(`${url}/readyz`);
  const { status } = await pushImage(url, EXISTING_IMAGE.repository, EXISTING_IMAGE.tag, tinyImage("existing"));
  if (status !== 201) throw new Error(`the open registry of the sandbox answered ${status} to a push`);
  return { name, host, port, url };
}

function hostDirectories(directory: string): string[] {
  const hosts = join(directory, "hosts");
  return existsSync(hosts) ? readdirSync(hosts).map((name) => join(hosts, name)) : [];
}

async function createStack(
  world: World,
  pulumi: Pulumi,
  authentik: AuthentikPart,
  settings: RawSettings,
): Promise<{ stack: Stack; stackOptions: StackOptions }> {
  const directory = join(world.directory, "stack");
  mkdirSync(directory);
  const environment = {
    PATH: process.env.PATH ?? "",
    HOME: world.directory,
    ...pulumi.environment,
    PULUMI_CONFIG_PASSPHRASE: "sandbox",
    AUTHENTIK_TOKEN: authentik.token,
  };
  const stackOptions: StackOptions = { pulumi: pulumi.command, directory, environment };
  const stack = new Stack(stackOptions);
  await stack.create(settings);
  // An Authentik of somebody else's keeps what is not taken out of it.
  if (authentik.part.kind === "real") world.later(() => takeOut(stack));
  return { stack, stackOptions };
}

/** A DELETE of Authentik's was seen to fail once and to pass the second time. @throws when the stack cannot be destroyed */
async function takeOut(stack: Stack): Promise<void> {
  if ((await stack.destroy()).code === 0) return;
  const { code, output } = await stack.destroy();
  if (code !== 0) throw new Error(`pulumi destroy of the sandbox's stack failed:\n${output}`);
}

/** The registry before: whoever reaches it may push. */
function openConfig(rootDirectory: string, port: number): string {
  const config = {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory },
    http: { address: "127.0.0.1", port: String(port) },
    log: { level: "info" },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

interface Places {
  authentikUrl: string;
  directory: string;
  registries: Registry[];
  upstreamUrl: string;
}

function sandboxSettings({ authentikUrl, directory, registries, upstreamUrl }: Places): RawSettings {
  const { port, url } = registries[0] as Registry;
  return {
    "authentik:url": authentikUrl,
    "harden-zot:registry": {
      externalUrl: url,
      version: "2.1.20",
      listen: { address: "127.0.0.1", port },
      storage: { rootDirectory: join(directory, "hosts/registry-host/data") },
      pullThrough: [{ name: "docker.io", url: upstreamUrl, tlsVerify: false }],
      compat: ["docker2s2"],
      metrics: "anonymous",
      search: {},
    },
    "harden-zot:hosts": registries.map(hostSettings),
    "harden-zot:identity": {
      name: `Zot of ${NAME}`,
      slug: NAME,
      clientId: NAME,
      existingGroups: [ADMINS],
    },
    "harden-zot:access": {
      admins: { group: ADMINS },
      tags: { mutable: ["main", "latest"], format: "^v\\d+\\.\\d+\\.\\d+-[0-9a-f]{7}(-nix)?$" },
    },
    "harden-zot:ci": [{ name: `${NAME}-ci`, group: `${NAME}-publishers`, repositories: ["team/**"] }],
  };
}

/** All on one machine, so that every one but the first needs a port and a directory of its own. */
function hostSettings({ name, host, port }: Registry, index: number): object {
  const { address, hostKey, port: sshPort, privateKeyFile, user } = host.ssh;
  const { configDirectory, service, zot } = host;
  const own = { listen: { address: "127.0.0.1", port }, rootDirectory: join(configDirectory, "../data") };
  const ssh = { address, port: sshPort, user, hostKey, privateKeyFile };
  return { name, ...ssh, zot, configDirectory, service, ...(index === 0 ? {} : own) };
}

const KEPT = resolve(__dirname, "../.sandbox.json");

/** What it takes to end a sandbox that another process started. */
interface Kept {
  directory: string;
  /** What the names in Authentik begin with. */
  name: string;
  daemons: Daemon[];
  authentik: AuthentikPart;
  settled: Settled;
  stack: StackOptions;
}

/** Ends a sandbox that an earlier run kept. @throws, and leaves it, when something of it would stay in a real Authentik */
export async function endKept(log: (line: string) => void): Promise<void> {
  if (!existsSync(KEPT)) return log("no sandbox was left running");
  const { directory, name, daemons, authentik, settled, stack }: Kept = JSON.parse(readFileSync(KEPT, "utf8"));
  if (authentik.part.kind === "real") {
    await takeOut(new Stack(stack));
    await unsettleAdmin(authentik, settled);
    await requireNothingLeft(authentik, name);
  }
  for (const host of hostDirectories(directory)) stopHost(host);
  for (const daemon of daemons) await stopDaemon(daemon);
  rmSync(directory, { recursive: true, force: true });
  rmSync(KEPT);
  log("the sandbox is gone");
}
