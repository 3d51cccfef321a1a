import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atExit, freePort, isAlive, startDaemon } from "../process";
import { ensureDebianPackage } from "../tools";

export interface HostOptions {
  /** Everything of the host lives here; absolute, of characters that need no quoting in any shell. Made when missing. */
  directory: string;
  /** The zot that the host runs: a binary, or a stand-in with zot's command line. */
  zot: string;
  /** The config.json the host has before anyone hardens it; without one, zot is installed but not configured. */
  config?: string;
  /** What sshd hands every command to, with its options; default: the user's own login shell. */
  loginShell?: string;
}

export interface SandboxHost {
  ssh: { address: string; port: number; user: string; hostKey: string; privateKey: string; privateKeyFile: string };
  /** As the `service` setting of a host wants it. */
  service: { manager: "command"; start: string[]; stop: string[]; status: string[] };
  /** Path of zot on the host. */
  zot: string;
  configDirectory: string;
  /** What zot printed, as JSON lines. */
  logFile: string;
  stop(): void;
  /** Starts sshd again where it was killed. */
  restartSshd(): Promise<void>;
  /** Leaves the host running when this process ends; `stopHost` ends it. */
  keep(): void;
}

/**
 * A registry host on loopback: a real sshd with keys of its own, and zot under a small supervisor, running when a
 * configuration was given. Works for root and for an ordinary user, whose login it is.
 * @throws when sshd is missing and cannot be installed
 */
export async function startHost({ directory, zot, config, loginShell }: HostOptions): Promise<SandboxHost> {
  if (!/^\/[A-Za-z0-9._/-]+$/.test(directory)) {
    throw new Error(`${directory}: the sandbox directory must be an absolute path of letters, digits and . _ - only`);
  }
  const sshd = ensureDebianPackage("sshd", "openssh-server");
  installFiles(directory, zot, config);
  const port = await freePort();
  const user = userInfo().username;
  writeFileSync(join(directory, "sshd_config"), sshdConfig(directory, port, loginShell), { mode: 0o600 });
  // sshd insists on its privilege separation directory when it runs as root.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const leave = atExit(() => stopHost(directory));
  const startSshd = () => {
    const daemon = startDaemon(
      "sshd",
      [sshd, "-D", "-e", "-f", join(directory, "sshd_config")],
      `${directory}/sshd.log`,
    );
    writeFileSync(join(directory, "sshd.pid"), `${daemon.pid}\n`);
    return waitForSsh(port, daemon.pid, daemon.logFile);
  };
  await startSshd();
  const service = serviceWords(directory);
  if (config !== undefined) execFileSync(service.start[0] as string, service.start.slice(1));
  const privateKeyFile = join(directory, "client_key");
  return {
    ssh: {
      address: "127.0.0.1",
      port,
      user,
      hostKey: readFileSync(join(directory, "host_key.pub"), "utf8").trim(),
      privateKey: readFileSync(privateKeyFile, "utf8"),
      privateKeyFile,
    },
    service,
    zot: join(directory, "zot"),
    configDirectory: join(directory, "config"),
    logFile: join(directory, "service.log"),
    stop: () => {
      leave();
      stopHost(directory);
    },
    restartSshd: async () => {
      const pid = pidIn(join(directory, "sshd.pid"));
      if (pid === undefined || !isAlive(pid)) await startSshd();
    },
    keep: leave,
  };
}

/** How many SSH connections a host has let in since it was started. */
export function sshConnections(directory: string): number {
  return readFileSync(join(directory, "sshd.log"), "utf8").match(/^Accepted publickey /gm)?.length ?? 0;
}

/** Ends sshd, its sessions, the supervisor and zot, of a host started by this or another process. Files stay. */
export function stopHost(directory: string): void {
  // First whoever starts others.
  for (const name of ["sshd", "supervisor", "zot"]) {
    for (const pid of withDescendants(pidIn(join(directory, `${name}.pid`)))) kill(pid);
    rmSync(join(directory, `${name}.pid`), { force: true });
  }
}

function installFiles(directory: string, zot: string, config: string | undefined): void {
  mkdirSync(join(directory, "config"), { recursive: true, mode: 0o700 });
  copyFileSync(join(__dirname, "zotctl.sh"), join(directory, "zotctl.sh"));
  writeFileSync(join(directory, "zot"), `#!/bin/sh\nPATH='${process.env.PATH}' exec '${resolve(zot)}' "$@"\n`, {
    mode: 0o755,
  });
  if (config !== undefined) writeFileSync(join(directory, "config", "config.json"), config);
  for (const name of ["host_key", "client_key"]) {
    rmSync(join(directory, name), { force: true });
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "sandbox", "-f", join(directory, name)]);
  }
}

function sshdConfig(directory: string, port: number, loginShell?: string): string {
  return [
    "ListenAddress 127.0.0.1",
    `Port ${port}`,
    // It names every session, too.
    "LogLevel VERBOSE",
    // What this user's login shell reads at home, often a tenth of a second's work, is not of this host.
    `SetEnv HOME=${directory}`,
    `HostKey ${directory}/host_key`,
    `AuthorizedKeysFile ${directory}/client_key.pub`,
    "PidFile none",
    "UsePAM no",
    "StrictModes no",
    "PermitRootLogin prohibit-password",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "MaxStartups 100",
    // As sshd starts a login shell: the command is one word for it to read.
    ...(loginShell ? [`ForceCommand exec ${loginShell} -c "$SSH_ORIGINAL_COMMAND"`] : []),
    "Subsystem sftp internal-sftp",
    "",
  ].join("\n");
}

function serviceWords(directory: string): SandboxHost["service"] {
  const verb = (name: string) => ["sh", join(directory, "zotctl.sh"), name];
  return { manager: "command", start: verb("start"), stop: verb("stop"), status: verb("status") };
}

async function waitForSsh(port: number, pid: number, logFile: string): Promise<void> {
  for (let waited = 0; waited < 5000 && isAlive(pid); waited += 20, await sleep(20)) {
    const socket = connect(port, "127.0.0.1");
    const open = await new Promise<boolean>((settle) => {
      socket.once("connect", () => settle(true)).once("error", () => settle(false));
    });
    socket.destroy();
    if (open) return;
  }
  throw new Error(`sshd did not start: ${readFileSync(logFile, "utf8").trim()}`);
}

function pidIn(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

function withDescendants(root: number | undefined): number[] {
  if (root === undefined || !isAlive(root)) return [];
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [root];
  for (const parent of found) for (const [pid, ppid] of table) if (ppid === parent && pid) found.push(pid);
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
