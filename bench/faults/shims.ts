import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Environment } from "../../sandbox/host/agent-driver";
import type { SandboxHost } from "../../sandbox/host/host";
import { isAlive } from "../../sandbox/process";
import { findCommand } from "../../sandbox/tools";

/** The agent changes the world through these alone, so that a fault at each of their calls is a fault at every step. */
const TOOLS = ["cat", "chmod", "cp", "curl", "dd", "ln", "mkdir", "mv", "rm", "rmdir", "sh", "sync"];

/**
 * What happens when the agent calls a tool: the agent is killed before it ran or after, the tool fails, zot is killed,
 * the SSH client is killed, sshd is killed with all its sessions, the disk of the configuration directory fills up or
 * becomes read-only.
 */
export const FAULTS = [
  "agent-killed-before",
  "agent-killed-after",
  "tool-fails",
  "zot-killed",
  "connection-cut",
  "sshd-killed",
  "disk-full",
  "read-only",
] as const;
export type Fault = (typeof FAULTS)[number];

/** Whether the agent has to be called over SSH for the fault to be possible. */
export const overSsh = (fault: Fault) => fault === "connection-cut" || fault === "sshd-killed";
/** Whether the fault lasts, until `FaultShims.mend`. Needs a configuration directory that is a mount of its own. */
export const lasts = (fault: Fault) => fault === "disk-full" || fault === "read-only";

/** Stands between the agent and its tools: wrappers, first on its PATH, that count calls and let one go wrong. */
export class FaultShims {
  private readonly directory: string;

  /** @param host directory of the sandbox host */
  constructor(host: string) {
    this.directory = join(host, "shims");
    mkdirSync(this.directory, { recursive: true });
    for (const tool of TOOLS) writeFileSync(join(this.directory, tool), shim(tool, this.directory), { mode: 0o755 });
    writeFileSync(join(this.directory, "fault"), fault(host, this.directory));
    writeFileSync(
      join(this.directory, "enter"),
      `echo $$ >${this.directory}/agent.pid\nPATH=${this.directory}:$PATH exec /bin/sh "$@"\n`,
    );
  }

  /** The agent called as it is, after its process has said its id. */
  get environment(): Environment {
    return { shell: ["/bin/sh", join(this.directory, "enter")] };
  }

  /** The same over SSH, where the client says its process id too. */
  sshEnvironment({ ssh }: SandboxHost): Environment {
    const known = join(this.directory, "known_hosts");
    writeFileSync(known, `[${ssh.address}]:${ssh.port} ${ssh.hostKey}\n`);
    const options = ["BatchMode=yes", "IdentitiesOnly=yes", "LogLevel=ERROR", `UserKnownHostsFile=${known}`];
    const client = ["ssh", "-F", "none", "-i", ssh.privateKeyFile, ...options.map((option) => `-o${option}`)].join(" ");
    const target = `-p ${ssh.port} ${ssh.user}@${ssh.address} /bin/sh ${this.directory}/enter`;
    return {
      shell: ["/bin/sh", "-c", `echo $$ >${this.directory}/client.pid; exec ${client} ${target} "$@"`, "client"],
    };
  }

  /** The n-th call of a tool goes wrong, counted from 1; 0 only counts. */
  arm(fault: Fault, call: number): void {
    writeFileSync(join(this.directory, "count"), "0\n");
    writeFileSync(join(this.directory, "steps"), "");
    for (const name of ["failed", "fired", "hit"]) rmSync(join(this.directory, name), { force: true });
    writeFileSync(join(this.directory, "armed"), `${fault} ${call}\n`);
  }

  /** @returns the calls since `arm`, as they would be typed */
  disarm(): string[] {
    rmSync(join(this.directory, "armed"), { force: true });
    return readFileSync(join(this.directory, "steps"), "utf8").split("\n").slice(0, -1);
  }

  /** The call that went wrong; empty while none has. zot's supervisor uses the same tools, so calls may come in another order. */
  get hit(): string {
    const file = join(this.directory, "hit");
    return existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  }

  /** The agent that was called last goes on when its connection is gone: waits for its end, for 30 s at most. */
  async agentGone(): Promise<void> {
    const pid = Number(readFileSync(join(this.directory, "agent.pid"), "utf8"));
    for (let waited = 0; isAlive(pid) && waited < 30_000; waited += 20) await sleep(20);
  }

  /** Whether the fault could be brought about: a disk cannot be made read-only while a file on it is being written. */
  get failed(): boolean {
    return existsSync(join(this.directory, "failed"));
  }
}

function shim(tool: string, directory: string): string {
  const real = findCommand(tool);
  return `#!/bin/sh
{ read -r fault at <${directory}/armed; } 2>/dev/null || exec ${real} "$@"
read -r count <${directory}/count
count=$((count + 1))
echo "$count" >${directory}/count
printf '%s\\n' "${tool} $*" >>${directory}/steps
[ "$count" = "$at" ] && ${findCommand("mv")} ${directory}/armed ${directory}/fired 2>/dev/null || exec ${real} "$@"
printf '%s\\n' "${tool} $*" >${directory}/hit
case $fault in
agent-killed-after) ${real} "$@"; . ${directory}/fault ;;
tool-fails) exit 1 ;;
*) . ${directory}/fault; exec ${real} "$@" ;;
esac
`;
}

function fault(host: string, directory: string): string {
  return `
slay() { { read -r pid <"$1" && kill -9 "$pid"; } 2>/dev/null; }
case $fault in
agent-*) slay ${directory}/agent.pid ;;
zot-killed) slay ${host}/zot.pid ;;
connection-cut) slay ${directory}/client.pid ;;
sshd-killed)
  kill -9 $(ps -A -o pid=,ppid=,comm= | awk -v listener="$(${findCommand("cat")} ${host}/sshd.pid)" '
    { parent[$1] = $2 } $3 ~ /^sshd/ { sshd[$1] = 1 }
    END { for (pid in sshd) for (p = pid; p > 1; p = parent[p]) if (p == listener) print pid }')
  ;;
disk-full) ${findCommand("cat")} /dev/zero >${host}/config/filler ;;
read-only) mount -o remount,ro ${host}/config || touch ${directory}/failed ;;
esac 2>/dev/null
`;
}
