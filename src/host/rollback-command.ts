import { parseArgs } from "node:util";
import { runCommand } from "../operator/command";
import { OperatorError } from "../operator/error";
import { settingsOfStack } from "../settings/stack-file";
import { decryptPassphrases } from "./private-key";
import { describeRollback, rollBack } from "./rollback";

/**
 * `make rollback STACK=prod`: puts back the last good configuration on every host of the stack, or on HOST alone. Exit 0
 * when all are rolled back, 1 when a host is not, 2 for a mistake, with nothing touched.
 */
async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { stack: { type: "string" }, host: { type: "string" } } });
  if (!values.stack) throw new OperatorError("which stack? make rollback STACK=prod");
  const { hosts } = settingsOfStack(values.stack);
  const meant = values.host === undefined ? hosts : hosts.filter(({ name }) => name === values.host);
  if (meant.length === 0) {
    throw new OperatorError(`HOST=${values.host}: must be one of: ${hosts.map(({ name }) => name).join(", ")}`);
  }
  decryptPassphrases(values.stack, meant);
  const outcomes = await rollBack(meant);
  for (const outcome of outcomes) (outcome.done ? console.log : console.error)(describeRollback(outcome));
  if (outcomes.some(({ done }) => done)) {
    console.log(
      `The settings are as they were: \`pulumi preview -s ${values.stack}\` says what was rolled back, and the next \`pulumi up\` applies the settings again. Correct them first.`,
    );
  }
  return outcomes.every(({ done }) => done) ? 0 : 1;
}

runCommand(main);
