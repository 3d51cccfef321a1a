import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxHost } from "../../sandbox/host/host";
import type { Run } from "../../sandbox/stack";
import { userCache } from "../../sandbox/tools";
import type { ZotConfig } from "../../src/zot/types";

const REQUIREMENTS = join(__dirname, "requirements.txt");
const CONSTRAINTS = join(__dirname, "constraints.txt");

/** Python programs: of the machine, and of the environment that has ansible-core. */
export interface Ansible {
  /** For the modules that Ansible runs on a host. */
  hostPython: string;
  python: string;
  version: string;
}

/** Path of a Python that can run ansible-core 2.19 and make an environment for it, itself and no wrapper. */
export function findPython(): string | undefined {
  const ask = "import sys, venv, ensurepip; print(sys.executable); sys.exit(sys.version_info < (3, 11))";
  try {
    return execFileSync("python3", ["-c", ask], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

/** ansible-core as requirements.txt pins it and constraints.txt what it needs, from PyPI into the cache, once. @throws when there is no Python for it */
export async function ensureAnsible(log: (line: string) => void): Promise<Ansible> {
  const hostPython = findPython();
  if (!hostPython) {
    throw new Error(
      "Ansible needs python3 >= 3.11 with venv: install it (Debian and Ubuntu: apt-get install python3-venv)",
    );
  }
  const pins = readFileSync(REQUIREMENTS, "utf8");
  const id = createHash("sha256")
    .update(pins)
    .update(readFileSync(CONSTRAINTS))
    .update(hostPython)
    .digest("hex")
    .slice(0, 12);
  const directory = join(userCache(), `ansible-${id}`);
  if (!existsSync(directory)) install(hostPython, directory, log);
  const version = /^ansible-core==(.*)$/m.exec(pins)?.[1] as string;
  return { hostPython, python: join(directory, "bin/python"), version };
}

function install(python: string, directory: string, log: (line: string) => void): void {
  log("installing ansible-core from PyPI: about 20 s, this once");
  const unfinished = `${directory}.${process.pid}`;
  try {
    execFileSync(python, ["-m", "venv", unfinished], { stdio: "pipe" });
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    const what = ["--requirement", REQUIREMENTS, "--constraint", CONSTRAINTS];
    execFileSync(join(unfinished, "bin/python"), [...pip, ...what], { stdio: "pipe" });
    // Another process may have been quicker; nothing in there depends on the directory's name.
    if (!existsSync(directory)) renameSync(unfinished, directory);
  } catch (error) {
    throw new Error(
      `ansible-core could not be installed: ${String((error as { stderr?: Buffer }).stderr ?? error).trim()}`,
    );
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** What the playbooks deliver. */
export interface Delivery {
  config: ZotConfig;
  /** Content of the files that the configuration refers to. */
  credentials: object;
  sessionKeys: object;
}

/** How long (s) the playbooks wait for a restarted registry. */
export const WAIT_SECONDS = 30;

/** One of the playbooks here, for one host, run as by an operator who keeps inventory and secrets in `directory`. */
export class Playbook {
  readonly secretsDirectory: string;
  /** Where the registry keeps its images. */
  readonly dataDirectory: string;
  private readonly inventory: string;
  private readonly sockets: string;

  /** @param name usual or careful: the playbook and Ansible's own settings */
  constructor(
    private readonly ansible: Ansible,
    private readonly name: "usual" | "careful",
    private readonly host: SandboxHost,
    private readonly directory: string,
  ) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.secretsDirectory = join(host.configDirectory, "secrets");
    this.dataDirectory = join(host.configDirectory, "../data");
    this.sockets = join(directory, "cp");
    this.inventory = join(directory, "inventory.json");
    const { address, hostKey, port } = host.ssh;
    writeFileSync(join(directory, "known_hosts"), `[${address}]:${port} ${hostKey}\n`);
  }

  configure({ config, credentials, sessionKeys }: Delivery): void {
    const { address, port, privateKeyFile, user } = this.host.ssh;
    const { configDirectory, service, zot } = this.host;
    const registry = {
      ansible_host: address,
      ansible_port: port,
      ansible_user: user,
      ansible_ssh_private_key_file: privateKeyFile,
      ansible_ssh_common_args: `-o UserKnownHostsFile=${this.directory}/known_hosts -o StrictHostKeyChecking=yes`,
      ansible_python_interpreter: this.ansible.hostPython,
      // Not in the home directory of whoever runs this.
      ansible_remote_tmp: join(configDirectory, "../ansible"),
      config_directory: configDirectory,
      secrets_directory: this.secretsDirectory,
      zot,
      start_command: service.start.join(" "),
      stop_command: service.stop.join(" "),
      listen_address: config.http.address,
      listen_port: Number(config.http.port),
      registry_url: `http://${config.http.address}:${config.http.port}`,
      wait_seconds: WAIT_SECONDS,
      zot_config: config,
      oidc_credentials: credentials,
      session_keys: sessionKeys,
    };
    writeFileSync(this.inventory, JSON.stringify({ all: { hosts: { registry } } }), { mode: 0o600 });
  }

  /** @param flags of ansible-playbook */
  run(...flags: string[]): Promise<Run> {
    const playbook = join(__dirname, `${this.name}.yml`);
    const child = spawn(this.ansible.python, ["-m", "ansible", "playbook", "-i", this.inventory, ...flags, playbook], {
      cwd: this.directory,
      env: {
        PATH: process.env.PATH,
        LC_ALL: "C.UTF-8",
        HOME: this.directory,
        ANSIBLE_HOME: this.directory,
        ANSIBLE_SSH_CONTROL_PATH_DIR: this.sockets,
        ANSIBLE_CONFIG: join(__dirname, `${this.name}.cfg`),
        ANSIBLE_NOCOLOR: "1",
      },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 300_000,
    });
    let output = "";
    const take = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    return new Promise((settle, fail) => {
      child.once("error", fail);
      child.once("close", (code) => settle({ code: code ?? 1, output }));
    });
  }

  /** Ends the connection that ControlPersist keeps open for a minute: an operator's next run comes later than that. */
  disconnect(): void {
    for (const name of existsSync(this.sockets) ? readdirSync(this.sockets) : []) {
      execFileSync("ssh", ["-o", `ControlPath=${this.sockets}/${name}`, "-O", "exit", "registry"], { stdio: "ignore" });
    }
  }
}
