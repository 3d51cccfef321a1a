import { createLogger } from "./log";
import { DISTRIBUTION_SPEC, VERSION } from "./version";

const USAGE = `Usage:
  zot [flags]
  zot [command]

Available Commands:
  help           Help about any command
  serve          \`serve\` stores and distributes OCI images
  verify         \`verify\` validates a zot config file

Flags:
  -h, --help      help for zot
  -v, --version   show the version and exit

This is a stand-in for zot ${VERSION.tag}: zot's other commands are not there.
`;

/** Runs one command line, with no more loaded than it takes: the agent calls zot often. Resolves to the exit code, or to undefined while the registry serves. */
async function run([command, ...rest]: string[]): Promise<number | undefined> {
  switch (command) {
    case "--version":
    case "-v":
      createLogger().info("version", {
        "distribution-spec": DISTRIBUTION_SPEC,
        commit: VERSION.commit,
        "binary-type": VERSION.binaryType,
        "go version": VERSION.goVersion,
      });
      return 0;
    case "verify":
      return verify(rest[0]);
    case "serve": {
      if (rest.length !== 1) return usageError(`accepts 1 arg(s), received ${rest.length}`);
      const { serve } = require("./serve") as typeof import("./serve");
      return serve(rest[0] as string);
    }
    case undefined:
    case "help":
    case "--help":
    case "-h":
      process.stdout.write(USAGE);
      return 0;
    case "schema":
    case "scrub":
    case "verify-feature":
      return usageError(
        `the zot stand-in has no ${command}; put zot on PATH, or set ZOT=/path/to/zot, to use the real one`,
      );
    default:
      return usageError(`unknown command "${command}" for "zot"\nRun 'zot --help' for usage.`);
  }
}

function verify(path: string | undefined): number {
  if (path === undefined) return 0;
  const { InvalidConfig } = require("./config/validate") as typeof import("./config/validate");
  const { loadConfig } = require("./config/load") as typeof import("./config/load");
  const logger = createLogger();
  try {
    loadConfig(path, logger);
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    logger.error("invalid config file", { config: path });
    return usageError(error.message);
  }
  logger.info("config file is valid", { config: path });
  return 0;
}

function usageError(message: string): number {
  process.stderr.write(`Error: ${message}\n`);
  return 1;
}

run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
