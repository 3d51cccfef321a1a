import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { buildOnce } from "../go-build";
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
  const directory = join(cache, `engine-${VERSION}`);
  await buildOnce(
    {
      what: `Pulumi's engine ${VERSION}`,
      minutes: 3,
      module: join(__dirname, "engine"),
      packages: [PACKAGE],
      ldflags: `-X ${VERSION_VARIABLE}=v${VERSION}`,
      directory,
      otherwise: "Pulumi is missing: install it (https://www.pulumi.com/docs/install/), set PULUMI=/path/to/pulumi",
    },
    log,
  );
  return { path: join(directory, "pulumi"), version: VERSION, built: true };
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
