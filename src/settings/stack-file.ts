import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse, YAMLParseError } from "yaml";
import { OperatorError } from "../operator/error";
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
  const config = (parseYaml(text, `Pulumi.${stack}.yaml`) as { config?: Record<string, unknown> } | null)?.config ?? {};
  return parseSettings(Object.fromEntries(SETTING_KEYS.map((key) => [key, config[key]])) as RawSettings);
}

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    const [{ line, col } = { line: 1, col: 1 }] = error.linePos ?? [];
    // Its first line ends with the place, and those after it quote the file.
    const what = error.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "");
    throw new OperatorError(`${file}, line ${line}, column ${col}: not valid YAML: ${what}; nothing was read`);
  }
}
