import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "./process";
import { findCommand, userCache } from "./tools";

export interface GoBuild {
  /** What is built, with its version, for messages. */
  what: string;
  /** How long it takes on 2 cores, modules fetched. */
  minutes: number;
  /** Folder of the go.mod that pins it. */
  module: string;
  /** Main packages. */
  packages: string[];
  ldflags?: string;
  /** Where the binaries are kept, each called after its package. There already: nothing is built. */
  directory: string;
  /** What else the user may do where there is no Go, the beginning of a sentence. */
  otherwise: string;
}

type Log = (line: string) => void;

/** Where what is built of a module is kept: another go.mod is another build. */
export function cachedFor(name: string, module: string): string {
  const pins = createHash("sha256").update(readFileSync(join(module, "go.mod")));
  return join(userCache(), `${name}-${pins.digest("hex").slice(0, 12)}`);
}

/** Builds programs from their Go modules; two who want it at once: one builds, the other waits. @throws when there is no Go */
export async function buildOnce(build: GoBuild, log: Log): Promise<void> {
  if (existsSync(build.directory)) return;
  const go = findCommand("go");
  if (!go) throw new Error(`${build.otherwise}, or install Go 1.26 or later, with which it is then built`);
  const lock = `${build.directory}.lock`;
  mkdirSync(join(lock, ".."), { recursive: true });
  for (let waited = 0; !take(lock); waited++) {
    if (waited % 20 === 0) log(`waiting for another process that is building ${build.what}`);
    await sleep(500);
  }
  try {
    if (!existsSync(build.directory)) await buildNow(go, build, log);
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    const holder = Number(existsSync(lock) && readFileSync(lock, "utf8"));
    if (holder && !isAlive(holder)) rmSync(lock, { force: true });
    return false;
  }
}

async function buildNow(go: string, build: GoBuild, log: Log): Promise<void> {
  const { directory, ldflags = "", minutes, packages, what } = build;
  const unfinished = `${directory}.${process.pid}`;
  const duration = minutes === 1 ? "a minute" : `${minutes} minutes`;
  log(`building ${what} from its Go module: about ${duration} on 2 cores, this once`);
  const flags = ["-v", "-trimpath", "-ldflags", `-s -w ${ldflags}`];
  try {
    mkdirSync(unfinished);
    await run(go, ["build", ...flags, "-o", `${unfinished}/`, ...packages], build, log);
    renameSync(unfinished, directory);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** go build -v names each module it fetches and each package it compiles, which is how one sees it going on. */
function run(go: string, args: string[], { module, what }: GoBuild, log: Log): Promise<void> {
  const environment = { ...process.env, HOME: homedir(), CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" };
  const child = spawn(go, args, { cwd: module, env: environment, stdio: ["ignore", "ignore", "pipe"] });
  const started = Date.now();
  const lines: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => lines.push(...text.split("\n").filter(Boolean)));
  const timer = setInterval(() => {
    const fetched = lines.filter((line) => line.startsWith("go: downloading")).length;
    const seconds = Math.round((Date.now() - started) / 1000);
    log(`  ${seconds} s: ${fetched} modules fetched, ${lines.length - fetched} packages compiled`);
  }, 5000);
  return new Promise((settle, fail) => {
    child.once("error", fail);
    child.once("close", (code) => {
      clearInterval(timer);
      if (code === 0) return settle();
      fail(new Error(`${what} could not be built:\n${lines.slice(-5).join("\n")}`));
    });
  });
}
