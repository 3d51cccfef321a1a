import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { runCommand } from "../src/operator/command";
import { OperatorError } from "../src/operator/error";
import { renderLine, renderReport } from "../src/verify/report";
import { targetOfStack, verify } from "../src/verify/stack";
import type { Target } from "../src/verify/target";

/**
 * `make verify STACK=prod`: whether the running registry is what the settings say. Exit 0: no check failed; 1: one did;
 * 2: a mistake. With --stdin the target comes as JSON on stdin, as the last resource of an `up` gives it.
 */
async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string" },
      stdin: { type: "boolean", default: false },
      "read-only": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      line: { type: "boolean", default: false },
    },
  });
  if (!values.stdin && !values.stack) throw new OperatorError("which stack? make verify STACK=prod");
  const report = await verify(
    values.stack
      ? await targetOfStack(values.stack, values["read-only"])
      : (JSON.parse(await text(process.stdin)) as Target),
  );
  // An `up` that went well is not to be followed by a page of it.
  const brief = values.line || (values.stdin && report.passed);
  console.log(values.json ? JSON.stringify(report, null, 2) : brief ? renderLine(report) : renderReport(report));
  return report.passed ? 0 : 1;
}

void runCommand(main);
