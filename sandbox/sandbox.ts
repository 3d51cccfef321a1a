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
import { type Daemon, freePort, killDaemon, stopDaemon, waitForHttp } from "./process";
import { ensurePulumi } from "./pulumi/pulumi";
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
  const directory = mkdtempSync(join(tmpdir(), "harden-zot-"));
  const cleanUp: (() => void | Promise<void>)[] = [() => rmSync(directory, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  };
  try {
    return await assemble(directory, cleanUp, stop, log);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(
  directory: string,
  cleanUp: (() => void | Promise<void>)[],
  stop: () => Promise<void>,
  log: (line: string) => void,
): Promise<Sandbox> {
  const pulumi = await ensurePulumi({ log });
  const zot = findZot();
  const daemons: Daemon[] = [];
  const running = (daemon: Daemon) => {
    daemons.push(daemon);
    cleanUp.push(() => stopDaemon(daemon));
  };
  // Ctrl-C, or an error nobody caught: the host sees to its own processes, these to the rest.
  const atExit = () => {
    for (const daemon of daemons) killDaemon(daemon);
    rmSync(directory, { recursive: true, force: true });
  };
  process.once("exit", atExit);
  cleanUp.push(() => void process.off("exit", atExit));

  log("starting Authentik, an upstream registry and the registry host");
  const authentik: AuthentikPart = await findAuthentik(join(directory, "authentik"));
  if (authentik.daemon) running(authentik.daemon);
  const { admin, settled } = await settleAdmin(authentik, ADMINS);
  cleanUp.push(() => unsettleAdmin(authentik, settled));
  writeFileSync(join(directory, "admin-password"), `${admin.password}\n`, { mode: 0o600 });

  const upstream = await startUpstream(zot.where, join(directory, "upstream"));
  running(upstream.daemon);

  const port = await freePort();
  const registryUrl = `http://127.0.0.1:${port}`;
  const config = openConfig(join(directory, "host", "data"), port);
  const host = await startHost({ directory: join(directory, "host"), zot: zot.where, config });
  cleanUp.push(() => host.stop());
  await waitForHttp(`${registryUrl}/readyz`);
  await pushImage(registryUrl, EXISTING_IMAGE.repository, EXISTING_IMAGE.tag, tinyImage("existing"));

  const stackDirectory = join(directory, "stack");
  mkdirSync(stackDirectory);
  const stackOptions: StackOptions = {
    pulumi: pulumi.command,
    directory: stackDirectory,
    environment: {
      PATH: process.env.PATH ?? "",
      HOME: directory,
      ...pulumi.environment,
      PULUMI_CONFIG_PASSPHRASE: "sandbox",
      AUTHENTIK_TOKEN: authentik.token,
    },
  };
  const stack = new Stack(stackOptions);
  const settings = () =>
    sandboxSettings({ authentikUrl: authentik.url, directory, host, port, upstreamUrl: upstream.url });
  await stack.create(settings());
  // An Authentik of somebody else's keeps what is not taken out of it.
  if (authentik.part.kind === "real") cleanUp.push(async () => void (await stack.destroy()));

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
    stop,
    keep: () => {
      host.keep();
      process.off("exit", atExit);
      const kept: Kept = { directory, daemons, authentik, settled, stack: stackOptions };
      writeFileSync(KEPT, JSON.stringify(kept), { mode: 0o600 });
    },
  };
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
    "harden-zot:hosts": [{ address, port: sshPort, user, hostKey, privateKeyFile, zot, configDirectory, service }],
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
