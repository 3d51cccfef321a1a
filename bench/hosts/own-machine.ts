import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atExit, killDaemon, startDaemon } from "../../sandbox/process";
import { findCommand } from "../../sandbox/tools";

/** The login that a machine of one's own has beside root: what runs as it. */
export const AS_LOGIN = ["setpriv", "--reuid=4711", "--regid=4711", "--init-groups", "--"];
const LOGIN_ID = "4711:4711";

/** As Debian has it, in the order of Red Hat: sudo takes a file for the one in its lines under whatever name it finds it. */
const SECURE_PATH = 'Defaults secure_path="/sbin:/bin:/usr/sbin:/usr/bin"\n';

/**
 * The lines for sudoers in docs/hosts.md, below a heading, as they are written there.
 * @param paths what stands there -> what it is here
 * @throws when there are none
 */
export function sudoersOf(heading: string, paths: Record<string, string> = {}): string {
  const page = readFileSync(resolve(__dirname, "../../docs/hosts.md"), "utf8");
  const section = page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const lines = /^```\n(Cmnd_Alias[^`]*)```$/m.exec(section)?.[1];
  if (lines === undefined) throw new Error(`docs/hosts.md has no lines for sudoers below ${heading}`);
  return Object.entries(paths).reduce((text, [there, here]) => text.replaceAll(there, here), SECURE_PATH + lines);
}

/** Lets `zot` own what it is to deliver to. @param sudoers what it may do as root */
export function giveToLogin(directory: string, owned: string[], sudoers: string): void {
  writeFileSync(join(directory, "sudoers"), sudoers);
  chmodSync(directory, 0o755);
  for (const path of owned) execFileSync("chown", ["-R", LOGIN_ID, path]);
}

/** Why there can be no such machine here; undefined when there can. */
export function ownMachineMissing(...commands: string[]): string | undefined {
  if (process.getuid?.() !== 0) return "a machine of its own takes root";
  const missing = ["unshare", "nsenter", "setpriv", ...commands].filter((name) => !findCommand(name));
  return missing.length > 0 ? `missing: ${missing.join(", ")}` : undefined;
}

/** This machine with an /etc, a /run and processes of its own: nothing of it is left when it ends. */
export interface OwnMachine {
  /** In front of a command. */
  inside: [string, ...string[]];
  /** For what lies outside of it. */
  atEnd(step: () => void): void;
  end(): void;
}

/** @param directory holds `sudoers` @throws when it does not come up within 10 s */
export async function ownMachine(directory: string): Promise<OwnMachine> {
  const prepare = 'sh "$0" "$1" /etc && mount -t tmpfs -o mode=755 tmpfs /run && touch /run/own';
  const namespaces = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"];
  const stay = `${prepare} && while :; do sleep 1; done`;
  const script = resolve(__dirname, "../../sandbox/host/own-etc.sh");
  const daemon = startDaemon(
    "machine",
    ["unshare", ...namespaces, "sh", "-c", stay, script, directory],
    join(directory, "machine.log"),
  );
  const steps = [() => killDaemon(daemon)];
  const end = () => {
    leave();
    for (const step of steps.splice(0)) step();
  };
  const leave = atExit(end);
  const atEnd = (step: () => void) => void steps.push(step);
  for (let waited = 0; waited < 10_000; waited += 50, await sleep(50)) {
    const first = readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, "utf8").trim();
    const inside: [string, ...string[]] = ["nsenter", `--target=${first}`, "--mount", "--pid", "--"];
    if (first !== "" && succeeds([...inside, "test", "-f", "/run/own"])) return { inside, atEnd, end };
  }
  end();
  throw new Error(`a machine of its own did not come up: ${readFileSync(daemon.logFile, "utf8").trim()}`);
}

function succeeds([command, ...args]: string[]): boolean {
  try {
    execFileSync(command as string, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
