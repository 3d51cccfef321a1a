import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runCommand } from "../operator/command";
import { OperatorError } from "../operator/error";
import { printable } from "../operator/foreign";
import { adopt } from "./adopt";
import { reportOn } from "./changes";
import { readConfig } from "./read";
import { reportText, stackFile } from "./text";

/**
 * `make adopt CONFIG=config.json`: prints the stack file that reproduces a registry's configuration on standard output, and
 * on standard error what the first `up` changes and why. `CONFIG=-` reads standard input. Exit 0, or 2 for a mistake.
 */
function main(args: string[]): number {
  const { values } = parseArgs({ args, options: { config: { type: "string" } } });
  if (!values.config) throw new OperatorError("which configuration? make adopt CONFIG=path/to/config.json");
  const adoption = adopt(readConfig(textOf(values.config), values.config === "-" ? "standard input" : values.config));
  process.stdout.write(printable(stackFile(adoption)));
  process.stderr.write(printable(reportText(reportOn(adoption))));
  return 0;
}

function textOf(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    throw new OperatorError(`CONFIG=${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

runCommand(main);
