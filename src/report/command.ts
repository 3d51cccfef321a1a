import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runCommand } from "../operator/command";
import { OperatorError } from "../operator/error";
import { renderLine } from "../verify/report";
import { targetOfStack, verify } from "../verify/stack";
import { reportData } from "./data";
import { renderPage } from "./page";
import { type State, stateIn } from "./state";

/**
 * `make report STACK=prod`: verifies, and writes one HTML file of what is (docs/report.md), compared with the report that
 * the file held before. Exit 0: no check failed; 1: one did, and the report is written all the same; 2: a mistake.
 */
async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string" },
      out: { type: "string", default: "report.html" },
      "read-only": { type: "boolean", default: false },
    },
  });
  const { stack, out } = values;
  if (!stack) throw new OperatorError("which stack? make report STACK=prod");
  const previous = previousState(out, stack);
  const target = await targetOfStack(stack, values["read-only"]);
  const verification = await verify(target);
  write(out, renderPage(reportData(stack, target, verification, new Date(), previous)));
  console.log(`${renderLine(verification)}\n${out} is written`);
  return verification.passed ? 0 : 1;
}

/** @throws OperatorError rather than have a file overwritten that is something else */
function previousState(file: string, stack: string): State | undefined {
  if (!existsSync(file)) return undefined;
  const state = stateIn(readFileSync(file, "utf8"), file);
  if (state.stack === stack) return state;
  throw new OperatorError(`${file} is the report of the stack ${state.stack}: name another file with OUT=...`);
}

/** A report that cannot be written leaves the one before. */
function write(file: string, text: string): void {
  try {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw new OperatorError(`OUT=${file}: cannot be written: ${(error as Error).message}`);
  }
}

void runCommand(main);
