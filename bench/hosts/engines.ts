import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxHost } from "../../sandbox/host/host";
import type { Part } from "../../sandbox/parts";
import type { ZotConfig } from "../../src/zot/types";
import { AS_LOGIN, type OwnMachine } from "./own-machine";

/** The stand-in for zot runs from there. */
const PROJECT = resolve(__dirname, "../..");

/** What a kind of host is made from. */
export interface Ground {
  directory: string;
  host: SandboxHost;
  open: ZotConfig;
  zot: Part;
}

/** docker or podman. */
export interface Engine {
  name: "docker" | "podman";
  /** In front of its command. */
  inside: [string, ...string[]];
  env: NodeJS.ProcessEnv;
}

/** A docker engine of its own, asked by root. It shares this machine's network, and leaves it as it found it. */
export async function docker(machine: OwnMachine, { directory }: Ground): Promise<Engine> {
  const { inside } = machine;
  // Without one of ours it makes docker0, and with `none` it removes the one of an engine that is there.
  const bridge = `hz${process.pid}`;
  execFileSync("ip", ["link", "add", bridge, "type", "bridge"]);
  machine.atEnd(() => execFileSync("ip", ["link", "delete", bridge]));
  execFileSync("ip", ["address", "add", "169.254.77.1/30", "dev", bridge]);
  const network = ["--bridge", bridge, "--iptables=false", "--ip6tables=false", "--ip-forward=false"];
  const options = ["--data-root", join(directory, "docker"), ...network];
  const start = `dockerd ${options.join(" ")} >${join(directory, "dockerd.log")} 2>&1 &`;
  const engine: Engine = { name: "docker", inside, env: withoutEngines() };
  run(inside, engine.env, "sh", "-c", start);
  for (let waited = 0; waited < 30_000; waited += 200, await sleep(200)) if (answers(engine)) return engine;
  throw new Error(`dockerd did not come up: see ${join(directory, "dockerd.log")}`);
}

/** Podman, which needs no engine. @param login whether it is the login's own, without root */
export function podman({ inside }: OwnMachine, { directory }: Ground, login: boolean): Engine {
  const place = join(directory, "home", "podman");
  const settings = { "storage.conf": storageConf(place), "containers.conf": CONTAINERS_CONF };
  mkdirSync(join(place, "run"), { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(settings)) writeFileSync(join(place, name), text);
  if (login) execFileSync("chown", ["-R", "4711:4711", place]);
  const env = {
    ...withoutEngines(),
    HOME: join(directory, "home"),
    XDG_RUNTIME_DIR: join(place, "run"),
    CONTAINERS_STORAGE_CONF: join(place, "storage.conf"),
    CONTAINERS_CONF: join(place, "containers.conf"),
  };
  return { name: "podman", inside: [...inside, ...(login ? AS_LOGIN : [])], env };
}

/**
 * Starts zot in an image with nothing else in it; the stand-in, which needs node, sees this machine's programs.
 * @param options more for `run`
 * @returns path of zot in the image
 */
export function startContainer(engine: Engine, { directory, host, zot }: Ground, options: string[]): string {
  const real = zot.kind === "real";
  const path = real ? "/usr/local/bin/zot" : host.zot;
  const [source, inImage] = real ? [dirname(zot.where), "s|.*|usr/local/bin/zot|"] : [directory, "s|.*|tmp/zot|"];
  const file = real ? zot.where.slice(source.length + 1) : "zot";
  const archive = join(directory, "image.tar");
  execFileSync("tar", ["-c", "-h", "-f", archive, "--transform", inImage, "-C", source, file]);
  chmodSync(archive, 0o644);
  ask(engine, "import", archive, "zot:sandbox");
  const mounts = [host.configDirectory, join(directory, "storage"), ...(real ? [] : [host.zot, ...programs()])];
  const places = mounts.flatMap((place) => ["-v", `${place}:${place}`]);
  // Where node keeps what it has unpacked.
  if (!real) places.push("-v", `${directory}/home:${directory}/home`, "-e", `HOME=${directory}/home`);
  const serve = ["--entrypoint", path, "zot:sandbox", "serve", join(host.configDirectory, "config.json")];
  ask(
    engine,
    "run",
    "-d",
    "--name",
    "zot",
    "--network",
    "host",
    "--restart",
    "always",
    ...options,
    ...places,
    ...serve,
  );
  return path;
}

function programs(): string[] {
  const node = dirname(dirname(process.execPath));
  const found = ["/bin", "/lib", "/lib64", "/usr", PROJECT, ...(node.startsWith("/usr") ? [] : [node])];
  return found.filter((place) => existsSync(place));
}

const storageConf = (place: string) =>
  `[storage]\ndriver = "overlay"\ngraphroot = "${place}/root"\nrunroot = "${place}/run/containers"\n`;

/** What a machine without systemd, and without the right to raise limits, takes. crun wants one kind of cgroups alone. */
const CONTAINERS_CONF = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

/** Whatever engine this machine's user has is not meant. */
function withoutEngines(): NodeJS.ProcessEnv {
  const { DOCKER_HOST: _, CONTAINER_HOST: __, DOCKER_CONTEXT: ___, ...env } = process.env;
  return env;
}

/** Has the engine do something. @throws with what it said */
export function ask({ env, inside, name }: Engine, ...words: string[]): void {
  run(inside, env, name, ...words);
}

function answers({ inside, env }: Engine): boolean {
  try {
    run(inside, env, "docker", "info");
    return true;
  } catch {
    return false;
  }
}

function run([command, ...inside]: [string, ...string[]], env: NodeJS.ProcessEnv, ...words: string[]): void {
  execFileSync(command, [...inside, ...words], { env, cwd: "/", stdio: ["ignore", "ignore", "pipe"] });
}
