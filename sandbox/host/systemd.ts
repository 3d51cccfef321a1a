import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, killDaemon, startDaemon } from "../process";
import { findCommand } from "../tools";

/** A systemd of its own on this machine, with a system and a user manager that each know a unit `zot`, not started yet. */
export interface Systemd {
  /** In front of a command: runs it where that systemd is the first process. */
  inside: [string, ...string[]];
  systemctl(scope: "system" | "user", ...words: string[]): string;
  stop(): Promise<void>;
}

/** The zot stand-in runs from there. */
const PROJECT = resolve(__dirname, "../..");

/** Why a real systemd cannot be booted here; undefined when it can. */
export function systemdUnavailable(): string | undefined {
  if (process.getuid?.() !== 0) return "a systemd of its own takes root";
  const missing = ["unshare", "nsenter", "systemctl"].filter((name) => !findCommand(name));
  if (!existsSync("/lib/systemd/systemd")) missing.push("/lib/systemd/systemd");
  if (missing.length > 0) return `missing: ${missing.join(", ")}`;
  if (!cgroupRoot()) return "no cgroup2 file system is mounted";
  return undefined;
}

/**
 * @param directory all that this systemd may write; it sees the rest of the machine read-only
 * @param start what the unit `zot` runs
 * @param user as whom, when it is a system unit; `zot` is there where the directory holds `sudoers` (own-etc.sh)
 * @throws when it does not come up within 10 s
 */
export async function startSystemd(directory: string, start: string[], user = "root"): Promise<Systemd> {
  writeUnits(directory, start, user);
  const cgroup = join(cgroupRoot() as string, `harden-zot-${process.pid}`);
  mkdirSync(cgroup);
  const namespaces = ["--pid", "--fork", "--mount", "--uts", "--ipc", "--cgroup", "--kill-child=KILL"];
  const boot = ["unshare", ...namespaces, "sh", resolve(__dirname, "systemd-boot.sh"), directory, PROJECT];
  const enter = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', cgroup];
  const daemon = startDaemon("systemd", [...enter, ...boot] as [string, ...string[]], join(directory, "systemd.log"));
  const stop = async () => {
    // Asked to end, systemd starts itself afresh.
    killDaemon(daemon);
    for (let waited = 0; waited < 5000 && !removeCgroup(cgroup); waited += 50) await sleep(50);
  };
  const systemctl: Systemd["systemctl"] = (scope, ...words) => {
    const environment = { ...process.env, XDG_RUNTIME_DIR: "/run/user/0" };
    const [command, ...options] = insideOf(daemon.pid);
    return execFileSync(command, [...options, "systemctl", `--${scope}`, ...words], {
      encoding: "utf8",
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
  };
  for (let waited = 0; waited < 10_000 && isAlive(daemon.pid); waited += 100, await sleep(100)) {
    if (succeeds(() => systemctl("user", "show"))) return { inside: insideOf(daemon.pid), systemctl, stop };
  }
  await stop();
  throw new Error(`systemd did not come up: ${readFileSync(daemon.logFile, "utf8").trim()}`);
}

/** unshare's one child is the first process inside. */
function insideOf(unshare: number): [string, ...string[]] {
  const first = readFileSync(`/proc/${unshare}/task/${unshare}/children`, "utf8").trim();
  return ["nsenter", "--target", first, "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--root", "--wd", "--"];
}

function succeeds(step: () => unknown): boolean {
  try {
    step();
    return true;
  } catch {
    return false;
  }
}

function cgroupRoot(): string | undefined {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return mounts.map((line) => line.split(" ")).find(([, , type]) => type === "cgroup2")?.[1];
}

/** A cgroup can only be removed when nothing runs in it any more. */
function removeCgroup(cgroup: string): boolean {
  return succeeds(() => {
    for (const entry of readdirSync(cgroup, { withFileTypes: true })) {
      if (entry.isDirectory()) removeCgroup(join(cgroup, entry.name));
    }
    rmdirSync(cgroup);
  });
}

function writeUnits(directory: string, start: string[], user: string): void {
  // Strict enough to be reached by a zot that takes seconds to fail.
  const limit = { StartLimitIntervalSec: "300", StartLimitBurst: "3" };
  const run = { ExecStart: start.join(" "), Restart: "always", RestartSec: "100ms" };
  const stream = "/run/systemd/journal/stdout";
  const targets = { "shutdown.target": unit({}), "sandbox.target": unit({}) };
  write(join(directory, "user-units"), { ...targets, "zot.service": unit(limit, run) });
  write(join(directory, "units"), {
    ...targets,
    "zot.service": unit(limit, { ...run, User: user }),
    "sandbox.target": unit({ Wants: "systemd-journald.service user@0.service" }),
    "systemd-journald.socket": `${unit({})}[Socket]\nListenStream=${stream}\nListenDatagram=/run/systemd/journal/socket\nPassCredentials=yes\n`,
    "systemd-journald.service": unit(
      { Requires: "systemd-journald.socket", After: "systemd-journald.socket" },
      {
        Type: "notify",
        Sockets: "systemd-journald.socket",
        ExecStart: "/lib/systemd/systemd-journald",
        StandardOutput: "null",
      },
    ),
    // The name and the slice by which journald knows a user's units.
    "user@0.service": unit(
      { After: "systemd-journald.service" },
      {
        Type: "notify",
        Slice: "user-0.slice",
        Delegate: "yes",
        Environment: `XDG_RUNTIME_DIR=/run/user/0 SYSTEMD_UNIT_PATH=${directory}/user-units`,
        ExecStart: "/lib/systemd/systemd --user --unit=sandbox.target",
      },
    ),
  });
}

function unit(general: Record<string, string>, service?: Record<string, string>): string {
  const lines = (section: Record<string, string>) => Object.entries(section).map(([key, value]) => `${key}=${value}`);
  const text = [
    "[Unit]",
    "DefaultDependencies=no",
    ...lines(general),
    ...(service ? ["[Service]", ...lines(service)] : []),
  ];
  return `${text.join("\n")}\n`;
}

function write(directory: string, files: Record<string, string>): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}
