import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import { loadConfig } from "./config/load";
import type { LoadedConfig } from "./config/loaded";
import { InvalidConfig } from "./config/validate";
import { DiscoveryFailed } from "./identity/relying-party";
import { createLogger, type Logger } from "./log";
import { Registry } from "./registry";
import { sanitized, watchConfig } from "./reload";
import { createRegistryServer } from "./server";
import { StartFailure, startFailure } from "./start-failure";
import { lockRoot } from "./storage/lock";
import { findUnsupported } from "./unsupported";

/** zot's exit codes: 1 for what stops it before it runs, 2 for a panic, 0 even when it cannot listen. */
const NOT_INITIALIZED = 1;
const PANICKED = 2;
const NOT_RUNNING = 0;

/** Serves until a signal ends the process; resolves to an exit code if it cannot start. */
export async function serve(path: string): Promise<number | undefined> {
  let config: LoadedConfig;
  try {
    config = loadConfig(path);
  } catch (error) {
    return notInitialized(error);
  }
  const logger = createLogger(config.log);
  logger.info("configuration settings", { params: sanitized(config) });
  let started: { registry: Registry; stop: () => void };
  try {
    started = await initialize(path, config, logger);
  } catch (error) {
    if (error instanceof StartFailure) logger.error("failed to init controller", { error: error.message });
    return notInitialized(error);
  }
  try {
    await run(started.registry, started.stop);
    return undefined;
  } catch (error) {
    started.stop();
    return notRunning(error, logger);
  }
}

/** Everything before the issuers and the port: storage, users, passwords. */
async function initialize(path: string, config: LoadedConfig, logger: Logger) {
  const { rootDirectory } = config.storage;
  const unsupported = findUnsupported(config);
  if (unsupported.length > 0) {
    throw new StartFailure(
      `the zot stand-in has no ${unsupported.join(", ")}; leave it out, or set ZOT=/path/to/zot to use the real one`,
    );
  }
  let unlock = () => {};
  try {
    mkdirSync(rootDirectory, { recursive: true, mode: 0o700 });
    unlock = await lockRoot(rootDirectory);
    const registry = new Registry(config, logger);
    registry.htpasswd.use(config.http.auth.htpasswd?.path);
    const watcher = watchConfig(path, registry);
    const stop = () => {
      watcher.close();
      registry.close();
      unlock();
    };
    return { registry, stop };
  } catch (error) {
    unlock();
    throw startFailure(error);
  }
}

function notInitialized(error: unknown): number {
  if (!(error instanceof InvalidConfig) && !(error instanceof StartFailure)) throw error;
  process.stderr.write(`Error: ${error.message}\n`);
  return NOT_INITIALIZED;
}

function notRunning(error: unknown, logger: Logger): number {
  if (error instanceof DiscoveryFailed) {
    const message = "failed to initialize new relying party oidc";
    logger.error(message, { error: error.message, ...error.fields });
    process.stderr.write(`panic: ${message}\n`);
    return PANICKED;
  }
  if (!(error instanceof StartFailure)) throw error;
  logger.error("failed to start controller, exiting", { error: error.message });
  return NOT_RUNNING;
}

async function run(registry: Registry, stop: () => void): Promise<void> {
  const { address, port } = registry.config.http;
  await registry.connectIssuers();
  // As Go joins and splits them.
  if (/^[^[].*:/.test(address))
    throw new StartFailure(`listen tcp: address ${address}:${port}: too many colons in address`);
  const server = createRegistryServer(registry);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(startFailure(error, `listen tcp ${address}:${port}: bind`)));
    server.listen(Number(port), address.replace(/^\[(.*)\]$/, "$1"), resolve);
  });
  const bound = server.address();
  if (Number(port) === 0 && bound !== null && typeof bound === "object") {
    const fields = { port: bound.port, address: bound.address };
    registry.logger.info("port is unspecified, listening on kernel chosen port", fields);
  }
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(signal, () => shutDown(signal, server, registry, stop));
  }
}

/** zot ends with 0 and does not wait for an upload in flight. */
function shutDown(signal: NodeJS.Signals, server: Server, registry: Registry, stop: () => void): void {
  registry.logger.info("received signal", { signal });
  server.close();
  stop();
  // zot 2.1.20 says so however it ends.
  registry.logger.error("failed to start controller, exiting", { error: "http: Server closed" });
  process.exit(0);
}
