import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "../process";
import { findCommand } from "../tools";

const VERSION = "3.259.0";
const PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

export interface Engine {
  /** Path of the pulumi command. */
  path: string;
  version: string;
  /** Built here, so that it comes without a language host beside it. */
  built: boolean;
}

/**
 * The pulumi command: `PULUMI=/path/to/pulumi` or the one on PATH, else the engine built once from its Go module.
 * @throws when there is neither a pulumi nor a Go to build it with
 */
export async function findEngine(cache: string, log: (line: string) => void): Promise<Engine> {
  const installed = process.env.PULUMI || findCommand("pulumi");
  if (installed) return { path: resolve(installed), version: versionOf(installed), built: false };
  const path = join(cache, `engine-${VERSION}`, "pulumi");
  if (!existsSync(path)) await buildOnce(path, log);
  return { path, version: VERSION, built: true };
}

function versionOf(pulumi: string): string {
  try {
    return execFileSync(pulumi, ["version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .trim()
      .replace(/^v/, "");
  } catch {
    throw new Error(`${pulumi} version did not answer as Pulumi does; is PULUMI right?`);
  }
}

/** Two who want it at once: one builds, the other waits. */
async function buildOnce(path: string, log: (line: string) => void): Promise<void> {
  const go = findCommand("go");
  if (!go)
    throw new Error(
      "Pulumi is missing: install it (https://www.pulumi.com/docs/install/), set PULUMI=/path/to/pulumi, or install Go 1.26 or later, with which its engine is then built",
    );
  const lock = `${dirname(path)}.lock`;
  mkdirSync(dirname(lock), { recursive: true });
  for (let waited = 0; !take(lock); waited++) {
    if (waited % 20 === 0) log("waiting for another process that is building Pulumi's engine");
    await sleep(500);
  }
  try {
    if (!existsSync(path)) await build(go, path, log);
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

async function build(go: string, path: string, log: (line: string) => void): Promise<void> {
  const unfinished = `${dirname(path)}.${process.pid}`;
  log(`building Pulumi's engine ${VERSION} from its Go module: about 3 minutes on 2 cores, this once`);
  const flags = ["-v", "-trimpath", "-ldflags", `-s -w -X ${VERSION_VARIABLE}=v${VERSION}`];
  try {
    await run(go, ["build", ...flags, "-o", join(unfinished, "pulumi"), PACKAGE], log);
    renameSync(unfinished, dirname(path));
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** go build -v names each module it fetches and each package it compiles, which is how one sees it going on. */
function run(go: string, args: string[], log: (line: string) => void): Promise<void> {
  const environment = { ...process.env, HOME: homedir(), CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" };
  const child = spawn(go, args, {
    cwd: join(__dirname, "engine"),
    env: environment,
    stdio: ["ignore", "ignore", "pipe"],
  });
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
      fail(new Error(`Pulumi's engine could not be built:\n${lines.slice(-5).join("\n")}`));
    });
  });
}
