import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Part } from "../parts";
import { userCache } from "../tools";
import { findEngine } from "./engine";
import { layHome } from "./home";
import { findPlugins, userPulumiHome } from "./plugins";

export interface Pulumi {
  /** Path of the pulumi command. */
  command: string;
  /** What it needs in its environment; which state it works on (PULUMI_BACKEND_URL) is the caller's. */
  environment: Record<string, string>;
  /** The engine, the language host and each provider. */
  parts: Part[];
}

export interface PulumiOptions {
  /** Where a built engine and compiled stand-ins are kept; default `harden-zot` in the user's cache directory. */
  cacheDirectory?: string;
  log: (line: string) => void;
}

/**
 * Pulumi with all the plugins the program needs: what is installed, else an engine built from its Go module and
 * stand-ins for the plugins.
 */
export async function ensurePulumi({ cacheDirectory = userCache(), log }: PulumiOptions): Promise<Pulumi> {
  const engine = await findEngine(cacheDirectory, log);
  const plugins = findPlugins(engine);
  const home = layHome(cacheDirectory, engine, plugins);
  return {
    command: home.pulumi,
    environment: {
      PULUMI_HOME: home.directory,
      PULUMI_DYNAMIC_TF_PLUGIN_CACHE_DIR: terraformProviders(home.directory),
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
    parts: [
      { name: "pulumi", kind: "real", version: engine.version, where: engine.path },
      ...plugins.map(({ name, kind, version, where }) => ({ name: `pulumi ${name}`, kind, version, where })),
    ],
  };
}

/** What the sandbox was given, what the user set, or what the bridge fetched before. */
function terraformProviders(home: string): string {
  const given = join(home, "dynamic_tf_plugins");
  if (existsSync(given)) return given;
  return process.env.PULUMI_DYNAMIC_TF_PLUGIN_CACHE_DIR || join(userPulumiHome(), "dynamic_tf_plugins");
}
