import type { Check, Result } from "./check";
import { type Finding, Skip, skipped } from "./finding";
import type { Target } from "./target";
import { Verification } from "./verification";

/** Told after every check: how many are done, of how many. */
export type Progress = (result: Result, done: number, total: number) => void;

/**
 * Runs all checks at once, but for those that wait for another. A check that throws has failed, with the error as what
 * was seen.
 * @returns results in the order of the checks
 */
export async function runChecks(
  checks: readonly Check[],
  target: Target,
  progress: Progress = () => {},
): Promise<Result[]> {
  const verification = new Verification(target);
  const running: Running = new Map();
  let done = 0;
  const start = async (check: Check): Promise<Run> => {
    const run = await runOne(check, verification, running);
    progress(run.result, ++done, checks.length);
    return run;
  };
  // A check stands behind those it waits for.
  for (const check of checks) running.set(check.id, start(check));
  const runs = await Promise.all(running.values());
  await verification.close();
  return runs.map(({ result }) => result);
}

interface Run {
  result: Result;
  /** Nothing that builds on it can be told. */
  broken: boolean;
}

type Running = Map<string, Promise<Run>>;

async function runOne(check: Check, verification: Verification, running: Running): Promise<Run> {
  const { id, title, expected, after = [] } = check;
  const before = await Promise.all(after.flatMap((other) => running.get(other) ?? []));
  const broken = before.find((run) => run.broken);
  const begun = performance.now();
  const finding = broken
    ? skipped(`cannot be told while ${broken.result.id} is not ok`)
    : check.writes && verification.target.readOnly
      ? skipped("writes, and this run only reads")
      : await observed(check, verification);
  const milliseconds = Math.round(performance.now() - begun);
  return {
    result: { id, title, expected, ...finding, milliseconds },
    broken: broken !== undefined || finding.outcome === "failed",
  };
}

async function observed(check: Check, verification: Verification): Promise<Finding> {
  try {
    return await check.observe(verification);
  } catch (error) {
    if (error instanceof Skip) return skipped(error.message);
    return {
      outcome: "failed",
      seen: (error as Error).message,
      cause: "the check could not be carried out",
      fix: "see that the registry and the issuer answer from here, then run the verification again",
    };
  }
}
