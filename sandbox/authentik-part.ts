import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Part } from "./parts";
import { ask } from "./people";
import { type Daemon, freePort, startDaemon, stopDaemon, waitForHttp } from "./process";

export interface AuthentikPart {
  url: string;
  /** API token of an administrator. */
  token: string;
  part: Part;
  /** The stand-in's process; none for an Authentik that was given. */
  daemon?: Daemon;
  /** Ends the stand-in and starts it again, of another version where one is said: the same address, and what it knew but for sessions. */
  restart?: (version?: string) => Promise<void>;
}

/**
 * `AUTHENTIK_URL` and `AUTHENTIK_TOKEN`, else the stand-in on a free port.
 * @param version of the stand-in; default: its oldest
 * @throws when the one given does not answer
 */
export async function findAuthentik(directory: string, version?: string): Promise<AuthentikPart> {
  const { AUTHENTIK_URL: url, AUTHENTIK_TOKEN: token } = process.env;
  if (url && token) {
    const access = { url: url.replace(/\/+$/, ""), token };
    const { version_current: version } = await ask<{ version_current: string }>(access, "GET", "admin/version/");
    return { ...access, part: { name: "Authentik", kind: "real", version, where: access.url } };
  }
  return startStandIn(directory, version);
}

async function startStandIn(directory: string, first?: string): Promise<AuthentikPart> {
  mkdirSync(directory, { recursive: true });
  const token = randomBytes(32).toString("hex");
  const tokenFile = join(directory, "token");
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const files = { token: tokenFile, state: join(directory, "state.json"), log: join(directory, "authentik.log") };
  const daemon = await serve(port, files, first);
  const restart = async (version = first) => {
    await stopDaemon(daemon);
    // Whoever knows the daemon ends the one that runs.
    Object.assign(daemon, await serve(port, files, version));
  };
  const { version_current: version } = await ask<{ version_current: string }>({ url, token }, "GET", "admin/version/");
  return { url, token, daemon, restart, part: { name: "Authentik", kind: "stand-in", version, where: url } };
}

async function serve(
  port: number,
  { log, state, token }: Record<"token" | "state" | "log", string>,
  version?: string,
): Promise<Daemon> {
  const main = [resolve(__dirname, "../loader.js"), resolve(__dirname, "authentik/main.ts")] as const;
  const words = ["--port", String(port), "--token-file", token, "--state", state];
  if (version) words.push("--version", version);
  const daemon = startDaemon("authentik", [process.execPath, "--require", ...main, ...words], log);
  await waitForHttp(`http://127.0.0.1:${port}/-/health/live/`);
  return daemon;
}
