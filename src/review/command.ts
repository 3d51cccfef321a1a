import { parseArgs } from "node:util";
import { renderAccess } from "../config/render";
import { runCommand } from "../operator/command";
import { OperatorError } from "../operator/error";
import { settingsOfStack } from "../settings/stack-file";
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
  const settings = settingsOfStack(values.stack);
  const config = renderAccess(settings);
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

runCommand(main);
