import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { trustedCa } from "../http/ca";
import { OperatorError } from "../operator/error";
import { settingsOfStack } from "../settings/stack-file";
import type { Result } from "./check";
import { VERIFICATION } from "./checks";
import { type Report, reportOn } from "./report";
import { runChecks } from "./run";
import { type StackOutputs, type Target, targetOf } from "./target";

/**
 * The registry of a stack, from its settings and its outputs.
 * @throws OperatorError with Pulumi's own words
 */
export async function targetOfStack(stack: string, readOnly: boolean): Promise<Target> {
  const settings = settingsOfStack(stack);
  return targetOf(settings, await outputsOf(stack), {
    readOnly,
    ca: trustedCa(settings.registry),
  });
}

/** All checks on a registry, with their progress on a terminal. Holds no key. */
export async function verify(target: Target): Promise<Report> {
  const begun = performance.now();
  const results = await runChecks(VERIFICATION, target, process.stderr.isTTY ? showProgress : undefined);
  return withoutSecrets(
    reportOn(target.registry, target.readOnly, results, performance.now() - begun),
    target.identities.flatMap(({ apiKey }) => apiKey ?? []),
  );
}

function showProgress({ title }: Result, done: number, total: number): void {
  process.stderr.write(done === total ? "\r\u001b[K" : `\r\u001b[K${done}/${total}  ${title}`);
}

/** No check shows a key; should an answer of the registry do so, this does not pass it on. */
function withoutSecrets<Value>(value: Value, secrets: readonly string[]): Value {
  return JSON.parse(secrets.reduce((json, secret) => json.replaceAll(secret, "[key]"), JSON.stringify(value)));
}

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
