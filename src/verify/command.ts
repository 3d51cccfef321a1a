import { execFile } from "node:child_process";
import { text } from "node:stream/consumers";
import { parseArgs, promisify } from "node:util";
import { runCommand } from "../command";
import { trustedCa } from "../credentials/ca";
import { ownerLabel } from "../credentials/rotation";
import { OperatorError } from "../settings/errors";
import { settingsOfStack } from "../settings/stack-file";
import type { Result } from "./check";
import { VERIFICATION } from "./checks";
import { renderLine, renderReport, reportOn } from "./report";
import { runChecks } from "./run";
import { type StackOutputs, type Target, targetOf } from "./target";

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
  const target = values.stdin
    ? (JSON.parse(await text(process.stdin)) as Target)
    : await targetOfStack(values.stack, values["read-only"]);
  const begun = performance.now();
  const results = await runChecks(VERIFICATION, target, process.stderr.isTTY ? showProgress : undefined);
  const report = withoutSecrets(
    reportOn(target.registry, target.readOnly, results, performance.now() - begun),
    target.identities.flatMap(({ apiKey }) => apiKey ?? []),
  );
  // An `up` that went well is not to be followed by a page of it.
  const brief = values.line || (values.stdin && report.passed);
  console.log(values.json ? JSON.stringify(report, null, 2) : brief ? renderLine(report) : renderReport(report));
  return report.passed ? 0 : 1;
}

function showProgress({ title }: Result, done: number, total: number): void {
  process.stderr.write(done === total ? "\r\u001b[K" : `\r\u001b[K${done}/${total}  ${title}`);
}

/** No check shows a key; should an answer of the registry do so, this does not pass it on. */
function withoutSecrets<Value>(value: Value, secrets: readonly string[]): Value {
  return JSON.parse(secrets.reduce((json, secret) => json.replaceAll(secret, "[key]"), JSON.stringify(value)));
}

async function targetOfStack(stack: string | undefined, readOnly: boolean): Promise<Target> {
  if (!stack) throw new OperatorError("which stack? make verify STACK=prod");
  const settings = settingsOfStack(stack);
  return targetOf(settings, await outputsOf(stack), {
    readOnly,
    ca: trustedCa(settings.registry),
    keyLabels: (identity) => ownerLabel(stack, identity),
  });
}

/** @throws OperatorError with Pulumi's own words */
async function outputsOf(stack: string): Promise<StackOutputs> {
  const args = ["stack", "output", "--json", "--show-secrets", "--stack", stack, "--non-interactive"];
  try {
    const { stdout } = await promisify(execFile)("pulumi", args);
    const outputs = JSON.parse(stdout) as Partial<StackOutputs>;
    if (outputs.oidcIssuer && outputs.redirectUri) return outputs as StackOutputs;
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    if (code === "ENOENT") throw new OperatorError("pulumi is not on PATH: install the Pulumi CLI");
    throw new OperatorError(`pulumi ${args.join(" ")} failed:\n${stderr ?? (error as Error).message}`);
  }
  throw new OperatorError(`STACK=${stack}: has no outputs yet: run pulumi up -s ${stack} first`);
}

void runCommand(main);
