import Table from "cli-table3";
import type { Check, Result } from "../src/verify/check";
import { VERIFICATION } from "../src/verify/checks";
import { renderReport, reportOn } from "../src/verify/report";
import { runChecks } from "../src/verify/run";
import { adminChecks, OPEN_CHECKS } from "./checks";
import { loginLines, type Row, rotateKeys, useKey } from "./demo-keys";
import type { Part } from "./parts";
import { type Sandbox, startSandbox } from "./sandbox";

const title = (text: string) => console.log(`\n=== ${text}\n`);
const show = (text: string) => process.stdout.write(text);

function print(head: string[], rows: string[][]): void {
  const table = new Table({ head, style: { head: [], border: [] } });
  table.push(...rows);
  console.log(table.toString());
}

/** The main job on a sandbox: an open registry, `pulumi up`, a hardened one; every claim checked on the running thing. */
async function demo(): Promise<number> {
  title("harden-zot: from an open registry to a hardened one");
  const sandbox = await startSandbox((line) => console.log(`  ${line}`));
  try {
    printParts(sandbox.parts);
    const before = await check(sandbox, "before: an open registry", OPEN_CHECKS);
    await pulumi(sandbox, ["up", "--yes", "--skip-preview"]);
    await pulumi(sandbox, ["stack", "output"]);
    await pulumi(sandbox, ["up", "--yes", "--skip-preview", "--expect-no-changes"]);
    const after = await check(sandbox, "after: the hardened registry", [
      ...VERIFICATION,
      ...adminChecks(sandbox.adminSession),
    ]);
    const keys = [
      ...tried("what CI does with its key", await useKey(sandbox)),
      ...tried("two rotations", await rotateKeys(sandbox, () => pulumi(sandbox, ["up", "--yes", "--skip-preview"]))),
    ];
    title("how each tool logs in");
    print(["tool", "line"], await loginLines(sandbox));
    return summarize([...before, ...after], keys);
  } finally {
    if (process.env.KEEP === "1") announce(sandbox);
    else await sandbox.stop();
  }
}

function printParts(parts: Part[]): void {
  title("what is real here, and what stands in");
  print(
    ["part", "is", "version", "where"],
    parts.map(({ name, kind, version, where }) => [name, kind, version, where]),
  );
}

async function pulumi(sandbox: Sandbox, args: string[]): Promise<void> {
  title(`pulumi ${args.join(" ")}`);
  const run = await sandbox.stack.pulumi(args, show);
  if (run.code !== 0) throw new Error(`pulumi ${args[0]} ended with code ${run.code}`);
}

async function check(sandbox: Sandbox, heading: string, checks: readonly Check[]): Promise<Result[]> {
  title(heading);
  const target = await sandbox.target();
  const begun = performance.now();
  const results = await runChecks(checks, target);
  console.log(renderReport(reportOn(target.registry, false, results, performance.now() - begun)));
  return results;
}

function tried(heading: string, rows: Row[]): Result["outcome"][] {
  title(heading);
  const outcomes = rows.map(({ expected, seen }) => (seen === expected ? "ok" : "failed"));
  print(
    ["", "step", "expected", "seen"],
    rows.map(({ expected, seen, title }, index) => [outcomes[index] as string, title, expected, seen]),
  );
  return outcomes;
}

function summarize(results: Result[], keys: Result["outcome"][]): number {
  const outcomes = [...results.map(({ outcome }) => outcome), ...keys];
  const count = (outcome: Result["outcome"]) => outcomes.filter((one) => one === outcome).length;
  const failed = count("failed");
  const others = `${count("warning")} warnings, ${count("skipped")} skipped`;
  console.log(`\ndemo: ${count("ok")} checks passed, ${failed} failed, ${others}`);
  return failed === 0 ? 0 : 1;
}

function announce(sandbox: Sandbox): void {
  sandbox.keep();
  const { admin, authentik, directory, registryUrl } = sandbox;
  title("left running (KEEP=1); `make demo-stop` ends it");
  console.log(`  registry   ${registryUrl}`);
  console.log(`  Authentik  ${authentik.url}`);
  console.log(`  log in as  ${admin.username}, password in ${directory}/admin-password`);
}

demo().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(`\ndemo: ${error.message}`);
    process.exit(1);
  },
);
