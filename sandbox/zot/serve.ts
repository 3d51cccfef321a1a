import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import { type LoadedConfig, loadConfig } from "./config/load";
import { InvalidConfig } from "./config/validate";
import { DiscoveryFailed } from "./identity/relying-party";
import { createLogger, type Logger } from "./log";
import { Registry } from "./registry";
import { sanitized, watchConfig } from "./reload";
import { createRegistryServer } from "./server";
import { lockRoot, RootInUse } from "./storage/lock";

/** zot's exit codes: 1 for what it reports, 2 for what it panics over. */
const FAILED = 1;
const PANICKED = 2;

/** Serves until a signal ends the process; resolves to an exit code if it cannot start. */
export async function serve(path: string): Promise<number | undefined> {
  let config: LoadedConfig;
  try {
    config = loadConfig(path);
  } catch (error) {
    if (!(error instanceof InvalidConfig)) {
      throw error;
    }
    process.stderr.write(`Error: ${error.message}\n`);
    return FAILED;
  }
  const logger = createLogger(config.log);
  logger.info("configuration settings", { params: sanitized(config) });
  mkdirSync(config.storage.rootDirectory, { recursive: true, mode: 0o700 });
  let unlock: () => void;
  try {
    unlock = await lockRoot(config.storage.rootDirectory);
  } catch (error) {
    return fail(error, logger);
  }
  const registry = new Registry(config, logger);
  const watcher = watchConfig(path, registry);
  const stop = () => {
    watcher.close();
    registry.close();
    unlock();
  };
  try {
    registry.htpasswd.use(config.http.auth.htpasswd?.path);
    await registry.connectIssuers();
    await listen(registry, stop);
    return undefined;
  } catch (error) {
    stop();
    return fail(error, logger);
  }
}

function fail(error: unknown, logger: Logger): number {
  if (error instanceof DiscoveryFailed) {
    const message = "failed to initialize new relying party oidc";
    logger.error(message, { error: error.message, ...error.fields });
    process.stderr.write(`panic: ${message}\n`);
    return PANICKED;
  }
  if (error instanceof RootInUse) {
    logger.error("failed to init controller", { error: error.message });
    process.stderr.write(`Error: ${error.message}\n`);
    return FAILED;
  }
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === undefined) {
    throw error;
  }
  logger.error("failed to start controller, exiting", { error: `${syscall} ${path ?? ""}: ${code}` });
  return syscall === "listen" ? 0 : FAILED;
}

async function listen(registry: Registry, stop: () => void): Promise<void> {
  const { address, port } = registry.config.http;
  const server = createRegistryServer(registry);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(port || 0), address, resolve);
  });
  const bound = server.address();
  if (Number(port || 0) === 0 && bound !== null && typeof bound === "object") {
    registry.logger.info("port is unspecified, listening on kernel chosen port", {
      port: bound.port,
      address: bound.address,
    });
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
  process.exit(0);
}
