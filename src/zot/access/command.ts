import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { OperatorError } from "../../settings/errors";
import { parseSettings, type RawSettings, SETTING_KEYS, type Settings } from "../../settings/settings";
import { renderConfig } from "../config";
import { answer } from "./question";
import { accessTable, renderTable } from "./table";

/**
 * `make access STACK=prod`: who may do what where, from the stack's settings alone. With --who, --do and --what, an
 * answer to that question: exit 0 for yes, 1 for no, 2 for a mistake.
 */
function main(args: string[]): number {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string" },
      who: { type: "string" },
      do: { type: "string" },
      what: { type: "string" },
      json: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
    },
  });
  if (!values.stack) throw new OperatorError("which stack? make access STACK=prod");
  const settings = settingsOf(values.stack);
  // Neither the issuer nor the files it refers to decide about access.
  const config = renderConfig(settings, { issuer: settings.authentikUrl, credentialsFile: "", sessionKeysFile: "" });
  const { who, do: does, what } = values;
  if (who !== undefined || does !== undefined || what !== undefined) {
    if (!who || !does || !what)
      throw new OperatorError("a question needs all three: WHO=zot-ci DO=push WHAT=team/app:v1");
    const { yes, text } = answer(config, settings, { who, does, what });
    console.log(values.json ? JSON.stringify({ yes, text }) : text);
    return yes ? 0 : 1;
  }
  const table = accessTable(config, settings);
  console.log(values.json ? JSON.stringify(table, null, 2) : renderTable(table, values.markdown ? "markdown" : "text"));
  return 0;
}

function settingsOf(stack: string): Settings {
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

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof OperatorError || (error instanceof TypeError && "code" in error);
  console.error(usage ? error.message : error);
  process.exitCode = 2;
}
