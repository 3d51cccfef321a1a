import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { findCommand } from "../tools";
import type { Engine } from "./engine";

export interface Plugin {
  name: string;
  /** Name of the executable the engine looks for. */
  command: string;
  kind: "real" | "stand-in";
  version: string;
  /** The executable; of a stand-in, its source. */
  where: string;
}

/** What the program needs, in the versions its SDKs ask for. */
const PLUGINS = [
  { name: "language host", command: "pulumi-language-nodejs", version: "3.259.0", standIn: "language-nodejs.ts" },
  { name: "command", command: "pulumi-resource-command", version: "1.2.1", standIn: "command/command.ts" },
  { name: "random", command: "pulumi-resource-random", version: "4.21.2", standIn: "random/random.ts" },
  {
    name: "terraform-provider (authentik)",
    command: "pulumi-resource-terraform-provider",
    version: "1.2.0",
    standIn: "authentik/authentik.ts",
  },
];

export const STAND_INS = join(__dirname, "plugins");

/** Where Pulumi keeps what it installed for this user. */
export function userPulumiHome(): string {
  return process.env.PULUMI_HOME || join(homedir(), ".pulumi");
}

/**
 * Every plugin: the one in `PULUMI_PLUGINS=DIRECTORY`, the one Pulumi installed, the one beside pulumi or on PATH, else a
 * stand-in of ours.
 */
export function findPlugins(engine: Engine): Plugin[] {
  return PLUGINS.map(({ name, command, version, standIn }) => {
    const real = findReal(command, version, engine);
    return { name, command, version, kind: real ? "real" : "stand-in", where: real ?? join(STAND_INS, standIn) };
  });
}

function findReal(command: string, version: string, engine: Engine): string | undefined {
  const given = process.env.PULUMI_PLUGINS;
  const installed = `${command.replace(/^pulumi-/, "")}-v${version}`;
  const candidates = [
    ...(given ? [join(given, command)] : []),
    join(userPulumiHome(), "plugins", installed, command),
    join(dirname(engine.path), command),
  ];
  return candidates.find((path) => existsSync(path)) ?? findCommand(command);
}

/** The bridge loads the Terraform provider itself: one lying in `PULUMI_PLUGINS`, else what it fetched before. */
export function findTerraformProvider(): string | undefined {
  const given = process.env.PULUMI_PLUGINS;
  const file = given && readdirSync(given).find((name) => name.startsWith("terraform-provider-authentik_"));
  return file && join(given, file);
}
