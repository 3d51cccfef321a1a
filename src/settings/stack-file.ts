import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { OperatorError } from "./errors";
import { parseSettings, type RawSettings, SETTING_KEYS, type Settings } from "./settings";

/**
 * The settings in a stack's file in the working directory, without asking Pulumi.
 * @throws OperatorError when there is no such file, or its settings cannot be used
 */
export function settingsOfStack(stack: string): Settings {
  const file = resolve(`Pulumi.${stack}.yaml`);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new OperatorError(`STACK=${stack}: there is no Pulumi.${stack}.yaml here`);
  }
  const config = (parse(text) as { config?: Record<string, unknown> } | null)?.config ?? {};
  return parseSettings(Object.fromEntries(SETTING_KEYS.map((key) => [key, config[key]])) as RawSettings);
}
