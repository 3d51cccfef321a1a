import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { openSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Daemon {
  name: string;
  pid: number;
  logFile: string;
}

/** Starts a program that outlives us unless stopped; its output goes to a file. */
export function startDaemon(
  name: string,
  [command, ...args]: [string, ...string[]],
  logFile: string,
  env: NodeJS.ProcessEnv = process.env,
): Daemon {
  const log = openSync(logFile, "a", 0o600);
  const child: ChildProcess = spawn(command, args, { detached: true, stdio: ["ignore", log, log], env });
  if (child.pid === undefined) throw new Error(`${name} could not be started: ${command} is missing or not executable`);
  child.unref();
  return { name, pid: child.pid, logFile };
}

/** Ends the process group of a daemon: asks, waits up to 5 s, then insists. */
export async function stopDaemon({ pid }: Pick<Daemon, "pid">): Promise<void> {
  signal(pid, "SIGTERM");
  for (let waited = 0; waited < 5000 && isAlive(pid); waited += 50) await sleep(50);
  killDaemon({ pid });
}

/** Ends the process group of a daemon at once. */
export function killDaemon({ pid }: Pick<Daemon, "pid">): void {
  signal(pid, "SIGKILL");
}

/**
 * Has something done when this process ends, Ctrl-C and a failure included.
 * @returns a function that forgets about it
 */
export function atExit(step: () => void): () => void {
  const interrupted = () => process.exit(130);
  const signals = (["SIGINT", "SIGTERM", "SIGHUP"] as const).filter((name) => process.listenerCount(name) === 0);
  process.once("exit", step);
  for (const name of signals) process.once(name, interrupted);
  return () => {
    process.off("exit", step);
    for (const name of signals) process.off(name, interrupted);
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // Gone already.
  }
}

/** Ports handed out so far: one that is not bound yet would be handed out again. */
const handedOut = new Set<number>();

/**
 * A TCP port of loopback that nobody listens on. Below those that systems give to whoever asks for any (from 32768 on Linux, 49152
 * elsewhere), which a plugin or a connection of another test would take before it is listened on; above 10080, which fetch refuses.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(10_100, 32_000);
  if (handedOut.has(port) || !(await isFree(port))) return freePort();
  handedOut.add(port);
  return port;
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((settle) => {
    server.once("error", () => settle(false));
    server.listen(port, "127.0.0.1", () => server.close(() => settle(true)));
  });
}

/** @throws when nothing answers with a status below 500 within the time (ms) */
export async function waitForHttp(url: string, timeout = 15_000): Promise<void> {
  for (const deadline = Date.now() + timeout; Date.now() < deadline; await sleep(25)) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer && answer.status < 500) return;
  }
  throw new Error(`${url} did not answer within ${timeout / 1000} s`);
}
