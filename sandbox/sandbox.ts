import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { login } from "../src/credentials/login";
import type { RawSettings } from "../src/settings/settings";
import type { Target } from "../src/verify/checks";
import { pushImage } from "../src/verify/distribution";
import { tinyImage } from "../src/verify/image";
import { type AuthentikPart, findAuthentik } from "./authentik-part";
import { type SandboxHost, startHost, stopHost } from "./host/host";
import { findZot, type Part } from "./parts";
import { type Person, type Settled, settleAdmin, unsettleAdmin } from "./people";
import { atExit, type Daemon, freePort, killDaemon, stopDaemon, waitForHttp } from "./process";
import { ensurePulumi, type Pulumi } from "./pulumi/pulumi";
import { Stack, type StackOptions } from "./stack";
import { startUpstream, UPSTREAM_IMAGE } from "./upstream";

/** Names that cannot collide with what a real Authentik already holds. */
const NAME = "zot-sandbox";
export const ADMINS = `${NAME}-admins`;

/** An image that is in the registry before it is hardened. */
const EXISTING_IMAGE = { repository: "team/app", tag: "v1.0.0-abcdef0" };

export interface Sandbox {
  directory: string;
  parts: Part[];
  authentik: { url: string; token: string };
  admin: Person;
  host: SandboxHost;
  registryUrl: string;
  stack: Stack;
  stackOptions: StackOptions;
  /** The settings the stack was created with: a fresh copy each time. */
  settings: () => RawSettings;
  target: Target;
  /** Ends every process and removes every file. */
  stop: () => Promise<void>;
  /** Leaves everything running when this process ends; `endKept` ends it. */
  keep: () => void;
}

/**
 * A registry host with an open zot, an Authentik and Pulumi, all on loopback.
 * @param log told what is being set up
 */
export async function startSandbox(log: (line: string) => void): Promise<Sandbox> {
  const pulumi = await ensurePulumi({ log });
  log("starting Authentik, an upstream registry and the registry host");
  const directory = mkdtempSync(join(tmpdir(), "harden-zot-"));
  const world = new World(directory);
  try {
    return await assemble(world, pulumi);
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
      stopHost(join(directory, "host"));
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

  async end(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step();
  }
}

async function assemble(world: World, pulumi: Pulumi): Promise<Sandbox> {
  const { directory } = world;
  const zot = findZot();
  const { authentik, admin, settled } = await startIdentity(world);
  const upstream = await startUpstream(zot.where, join(directory, "upstream"));
  world.running(upstream.daemon);
  const { host, port, registryUrl } = await startRegistry(world, zot.where);
  const settings = () =>
    sandboxSettings({ authentikUrl: authentik.url, directory, host, port, upstreamUrl: upstream.url });
  const { stack, stackOptions } = await createStack(world, pulumi, authentik, settings());
  return {
    directory,
    parts: [...pulumi.parts, zot, authentik.part],
    authentik,
    admin,
    host,
    registryUrl,
    stack,
    stackOptions,
    settings,
    target: {
      registry: registryUrl,
      existing: EXISTING_IMAGE,
      cached: { ...UPSTREAM_IMAGE, repository: `docker.io/${UPSTREAM_IMAGE.repository}` },
      metrics: "anonymous",
      adminSession: () => login({ registryUrl, ...admin }),
    },
    stop: () => world.end(),
    keep: () => {
      host.keep();
      world.keep();
      const kept: Kept = { directory, daemons: world.daemons, authentik, settled, stack: stackOptions };
      writeFileSync(KEPT, JSON.stringify(kept), { mode: 0o600 });
    },
  };
}

async function startIdentity(world: World): Promise<{ authentik: AuthentikPart; admin: Person; settled: Settled }> {
  const authentik = await findAuthentik(join(world.directory, "authentik"));
  if (authentik.daemon) world.running(authentik.daemon);
  const { admin, settled } = await settleAdmin(authentik, ADMINS);
  world.later(() => unsettleAdmin(authentik, settled));
  writeFileSync(join(world.directory, "admin-password"), `${admin.password}\n`, { mode: 0o600 });
  return { authentik, admin, settled };
}

/** The host with its open registry, and an image in it. */
async function startRegistry(
  world: World,
  zot: string,
): Promise<{ host: SandboxHost; port: number; registryUrl: string }> {
  const port = await freePort();
  const directory = join(world.directory, "host");
  const host = await startHost({ directory, zot, config: openConfig(join(directory, "data"), port) });
  world.later(() => host.stop());
  const registryUrl = `http://127.0.0.1:${port}`;
  await waitForHttp(`${registryUrl}/readyz`);
  const { status } = await pushImage(registryUrl, EXISTING_IMAGE.repository, EXISTING_IMAGE.tag, tinyImage("existing"));
  if (status !== 201) throw new Error(`the open registry of the sandbox answered ${status} to a push`);
  return { host, port, registryUrl };
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
  if (authentik.part.kind === "real") world.later(() => stack.destroy());
  return { stack, stackOptions };
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
  host: SandboxHost;
  port: number;
  upstreamUrl: string;
}

function sandboxSettings({ authentikUrl, directory, host, port, upstreamUrl }: Places): RawSettings {
  const { address, hostKey, port: sshPort, privateKeyFile, user } = host.ssh;
  const { configDirectory, service, zot } = host;
  return {
    "authentik:url": authentikUrl,
    "harden-zot:registry": {
      externalUrl: `http://127.0.0.1:${port}`,
      version: "2.1.20",
      listen: { address: "127.0.0.1", port },
      storage: { rootDirectory: join(directory, "host", "data") },
      pullThrough: [{ name: "docker.io", url: upstreamUrl, tlsVerify: false }],
      compat: ["docker2s2"],
      metrics: "anonymous",
      search: {},
    },
    "harden-zot:hosts": [
      { name: "registry-host", address, port: sshPort, user, hostKey, privateKeyFile, zot, configDirectory, service },
    ],
    "harden-zot:identity": {
      name: "Zot of the harden-zot sandbox",
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

const KEPT = resolve(__dirname, "../.sandbox.json");

/** What it takes to end a sandbox that another process started. */
interface Kept {
  directory: string;
  daemons: Daemon[];
  authentik: AuthentikPart;
  settled: Settled;
  stack: StackOptions;
}

/** Ends a sandbox that an earlier run kept. */
export async function endKept(log: (line: string) => void): Promise<void> {
  if (!existsSync(KEPT)) return log("no sandbox was left running");
  const { directory, daemons, authentik, settled, stack }: Kept = JSON.parse(readFileSync(KEPT, "utf8"));
  if (authentik.part.kind === "real") {
    await new Stack(stack).destroy();
    await unsettleAdmin(authentik, settled);
  }
  stopHost(join(directory, "host"));
  for (const daemon of daemons) await stopDaemon(daemon);
  rmSync(directory, { recursive: true, force: true });
  rmSync(KEPT);
  log("the sandbox is gone");
}
