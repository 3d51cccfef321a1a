import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findZot } from "../sandbox/parts";
import { type Daemon, freePort, startDaemon, stopDaemon, waitForHttp } from "../sandbox/process";
import { authentikUnderTest, createWorld, type World } from "./contract/authentik-world";

/** A registry that people log in to through an Authentik with the accounts of `createWorld`; no Pulumi. */
export interface LoginWorld {
  authentik: Awaited<ReturnType<typeof authentikUnderTest>>;
  world: World;
  registryUrl: string;
  port: number;
  /** Starts another registry for the same accounts. */
  startZot(name: string, port: number, externalUrl: string): Promise<Daemon>;
  stop(): Promise<void>;
}

/** @param externalUrl of the registry, given its port; default: itself */
export async function startLoginWorld(
  externalUrl: (port: number) => string = (port) => `http://127.0.0.1:${port}`,
): Promise<LoginWorld> {
  const directory = mkdtempSync(join(tmpdir(), "harden-zot-login-"));
  const port = await freePort();
  const registryUrl = externalUrl(port);
  const authentik = await authentikUnderTest();
  const world = await createWorld(authentik, `${registryUrl}/zot/auth/callback/oidc`);
  const startZot = (name: string, port: number, externalUrl: string) =>
    startRegistry(directory, name, config(directory, name, world, authentik.url, port, externalUrl));
  const zot = await startZot("zot", port, registryUrl);
  const stop = async () => {
    await stopDaemon(zot);
    await world.destroy();
    await authentik.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  return { authentik, world, registryUrl, port, startZot, stop };
}

function config(directory: string, name: string, world: World, issuer: string, port: number, externalUrl: string) {
  const credentialsFile = join(directory, `${name}-oidc.json`);
  writeFileSync(credentialsFile, JSON.stringify({ clientid: world.clientId, clientsecret: world.clientSecret }));
  return {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: join(directory, name), dedupe: false },
    http: {
      address: "127.0.0.1",
      port: String(port),
      externalUrl,
      auth: {
        apikey: true,
        openid: {
          providers: {
            oidc: {
              name: "oidc",
              credentialsFile,
              issuer: `${issuer}/application/o/${world.slug}/`,
              scopes: ["openid", "profile", "email"],
              claimMapping: { username: "preferred_username", groups: "groups" },
            },
          },
        },
      },
      accessControl: {
        repositories: {
          "**": { policies: [{ groups: [world.users], actions: ["read", "create"] }], defaultPolicy: [] },
        },
      },
    },
    log: { level: "debug" },
  };
}

async function startRegistry(directory: string, name: string, config: { http: { port: string } }): Promise<Daemon> {
  const file = join(directory, `${name}.json`);
  writeFileSync(file, JSON.stringify(config));
  const daemon = startDaemon(name, [findZot().where, "serve", file], join(directory, `${name}.log`));
  await waitForHttp(`http://127.0.0.1:${config.http.port}/livez`);
  return daemon;
}
