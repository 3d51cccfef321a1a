import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tinyImage } from "../src/verify/image";
import { pushImage } from "./distribution";
import { type Daemon, freePort, startDaemon, waitForHttp } from "./process";

export interface OpenRegistry {
  url: string;
  daemon: Daemon;
}

/** What the sandbox's pull-through cache finds upstream. */
export const UPSTREAM_IMAGE = { repository: "library/alpine", tag: "3.22" };

/** An open registry on loopback that plays docker.io, with one image in it. */
export async function startUpstream(zot: string, directory: string): Promise<OpenRegistry> {
  const upstream = await startOpenRegistry(zot, directory);
  const { repository, tag } = UPSTREAM_IMAGE;
  const { status } = await pushImage(upstream.url, repository, tag, tinyImage("upstream"));
  if (status !== 201) throw new Error(`the upstream registry of the sandbox answered ${status} to a push`);
  return upstream;
}

/** A zot on loopback that takes everything from everybody. @param directory of its own */
export async function startOpenRegistry(zot: string, directory: string): Promise<OpenRegistry> {
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const config = {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: join(directory, "data") },
    http: { address: "127.0.0.1", port: String(port) },
    log: { level: "warn" },
  };
  const file = join(directory, "config.json");
  writeFileSync(file, JSON.stringify(config));
  const daemon = startDaemon("open registry", [zot, "serve", file], join(directory, "zot.log"));
  const url = `http://127.0.0.1:${port}`;
  await waitForHttp(`${url}/readyz`);
  return { url, daemon };
}
