import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AgentDriver, type Environment } from "../../sandbox/host/agent-driver";
import type { SandboxHost } from "../../sandbox/host/host";
import { startSystemd, systemdUnavailable } from "../../sandbox/host/systemd";
import type { ServiceSettings } from "../../src/settings/hosts";
import { ask, docker, type Engine, type Ground, podman, startContainer } from "./engines";
import { AS_LOGIN, giveToLogin, type OwnMachine, ownMachine, ownMachineMissing, sudoersOf } from "./own-machine";

/** A host whose zot has been started, and the agent as the login has it run. */
interface RunningHost {
  agent: AgentDriver;
  stop(): Promise<void>;
}

export interface HostKind {
  name: string;
  /** Why this machine cannot be one; undefined when it can. */
  missing(): string | undefined;
  /** @throws when it does not come up, saying why */
  start(ground: Ground): Promise<RunningHost>;
}

export const HOST_KINDS: readonly HostKind[] = [
  systemd("systemd, a system unit", "system"),
  systemd("systemd, a user unit", "user"),
  {
    name: "systemd, a system unit, through sudo",
    missing: () => ownMachineMissing("sudo") ?? systemdUnavailable(),
    start: (ground) => {
      giveToLogin(ground.directory, ownedIn(ground), sudoersOf("systemd"));
      return startUnit(ground, "system", true);
    },
  },
  {
    name: "docker",
    missing: () => ownMachineMissing("dockerd", "docker", "ip"),
    start: (ground) => startDocker(ground, false),
  },
  {
    name: "docker, through sudo",
    missing: () => ownMachineMissing("dockerd", "docker", "ip", "sudo"),
    start: (ground) => startDocker(ground, true),
  },
  {
    name: "podman",
    missing: () => ownMachineMissing("podman", "runc"),
    start: (ground) => startPodman(ground, false),
  },
  {
    name: "podman, rootless",
    missing: () => ownMachineMissing("podman", "runc", "newuidmap"),
    start: (ground) => startPodman(ground, true),
  },
];

function systemd(name: string, scope: "system" | "user"): HostKind {
  return { name, missing: systemdUnavailable, start: (ground) => startUnit(ground, scope, false) };
}

async function startUnit(ground: Ground, scope: "system" | "user", login: boolean): Promise<RunningHost> {
  const { directory, host } = ground;
  const serve = [host.zot, "serve", join(host.configDirectory, "config.json")];
  const { inside, stop, systemctl } = await startSystemd(directory, serve, login ? "zot" : undefined);
  systemctl(scope, "start", "zot");
  const shell: [string, ...string[]] = [...inside, ...(login ? AS_LOGIN : []), "sh"];
  const env = login ? { ...process.env, HOME: join(directory, "home") } : process.env;
  return { agent: agentOf(ground, { manager: "systemd", name: "zot", scope }, { shell, env }, login), stop };
}

/** @param options of the container */
async function startInContainer(
  ground: Ground,
  { login, sudo, sudoers, options }: { login: boolean; sudo: boolean; sudoers: string; options: string[] },
  engineOf: (machine: OwnMachine) => Promise<Engine>,
): Promise<RunningHost> {
  giveToLogin(ground.directory, login ? ownedIn(ground) : [], sudoers);
  const machine = await ownMachine(ground.directory);
  try {
    const engine = await engineOf(machine);
    const zot = startContainer(engine, ground, options);
    const shell: [string, ...string[]] = [...machine.inside, ...(login ? AS_LOGIN : []), "sh"];
    const service = { manager: engine.name, name: "zot" };
    const agent = agentOf(ground, service, { shell, env: engine.env }, sudo, zot);
    const stop = async () => {
      ask(engine, "rm", "-f", "zot");
      machine.end();
    };
    return { agent, stop };
  } catch (error) {
    machine.end();
    throw error;
  }
}

const startDocker = (ground: Ground, login: boolean) =>
  startInContainer(
    ground,
    { login, sudo: login, sudoers: login ? dockerLines(ground) : "", options: login ? ["--user", "4711:4711"] : [] },
    (machine) => docker(machine, ground),
  );

const startPodman = (ground: Ground, login: boolean) =>
  startInContainer(ground, { login, sudo: false, sudoers: "", options: [] }, async (machine) =>
    podman(machine, ground, login),
  );

function dockerLines({ host, zot }: Ground): string {
  const binary = zot.kind === "real" ? {} : { "/usr/local/bin/zot": host.zot };
  return sudoersOf("docker and podman", { "/etc/zot/": `${host.configDirectory}/`, ...binary });
}

/** What the login has to own. */
function ownedIn({ directory, host }: Ground): string[] {
  const storage = join(directory, "storage");
  mkdirSync(storage, { recursive: true });
  return [host.configDirectory, storage];
}

function agentOf(
  { host }: Ground,
  service: ServiceSettings,
  environment: Environment,
  sudo: boolean,
  zot = host.zot,
): AgentDriver {
  return new AgentDriver({ ...host, service, sudo, zot } as unknown as SandboxHost, environment);
}
