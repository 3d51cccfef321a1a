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
  /** Stops the registry and starts it again, on the same storage. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Where a registry of the world lives, and whom it asks. */
export interface Place {
  directory: string;
  /** Of its files in the directory. */
  name: string;
  world: World;
  authentikUrl: string;
  port: number;
  externalUrl: string;
}

/**
 * @param externalUrl of the registry, given its port; default: itself
 * @param config of a registry, asked for at every start; default: login, API keys, and the group may read and create
 */
export async function startLoginWorld(
  externalUrl: (port: number) => string = (port) => `http://127.0.0.1:${port}`,
  config: (place: Place) => { http: { port: string } } = plainConfig,
): Promise<LoginWorld> {
  const directory = mkdtempSync(join(tmpdir(), "harden-zot-login-"));
  const port = await freePort();
  const registryUrl = externalUrl(port);
  const authentik = await authentikUnderTest();
  const world = await createWorld(authentik, `${registryUrl}/zot/auth/callback/oidc`);
  const startZot = (name: string, port: number, externalUrl: string) =>
    startRegistry(directory, name, config({ directory, name, world, authentikUrl: authentik.url, port, externalUrl }));
  let zot = await startZot("zot", port, registryUrl);
  const restart = async () => {
    await stopDaemon(zot);
    zot = await startZot("zot", port, registryUrl);
  };
  const stop = async () => {
    await stopDaemon(zot);
    await world.destroy();
    await authentik.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  return { authentik, world, registryUrl, port, startZot, restart, stop };
}

export const issuerOf = ({ authentikUrl, world }: Pick<Place, "authentikUrl" | "world">) =>
  `${authentikUrl}/application/o/${world.slug}/`;

/** @returns the path of the file that `credentialsFile` of a provider names */
export function writeCredentials({ directory, name, world }: Pick<Place, "directory" | "name" | "world">): string {
  const file = join(directory, `${name}-oidc.json`);
  writeFileSync(file, JSON.stringify({ clientid: world.clientId, clientsecret: world.clientSecret }));
  return file;
}

function plainConfig({ directory, name, world, authentikUrl, port, externalUrl }: Place) {
  const credentialsFile = writeCredentials({ directory, name, world });
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
              issuer: issuerOf({ authentikUrl, world }),
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
