import type { ReportedRun } from "./side-by-side";

type Cells = string[];

export const RUNS_HEAD: Cells = [
  "registry",
  "as",
  "the suite tries",
  "pass",
  "fail",
  "skip",
  "disabled",
  "not as on the open one",
];

/** One row a run. The numbers are the suite's own. */
export function runRows(runs: readonly ReportedRun[]): Cells[] {
  return runs.map(({ as, explained, mode, result: { totals }, unexplained }) => {
    const different = explained.reduce((sum, { differences }) => sum + differences.length, unexplained.length);
    return [
      as === "open" ? "open" : "hardened",
      as === "open" ? "anybody" : as,
      mode,
      ...[totals.Pass, totals.FAIL + totals.Error, totals.Skip, totals.Disabled].map(String),
      as === "open" ? "" : String(different),
    ];
  });
}

export const REASONS_HEAD: Cells = ["as", "the suite tries", "tests", "outcome", "because"];

/** One row for each explanation. */
export function reasonRows(runs: readonly ReportedRun[]): Cells[] {
  return runs.flatMap(({ as, explained, mode }) =>
    explained.map(({ because, differences }) => {
      const changes = new Set(differences.map(({ here, open }) => (as === "open" ? here : `${open} → ${here}`)));
      return [as, mode, String(differences.length), [...changes].join(", "), because];
    }),
  );
}

/** What must not be: differences that nothing explains, and explanations of nothing. */
export function complaints(runs: readonly ReportedRun[]): string[] {
  return runs.flatMap(({ as, mode, stale, unexplained }) => [
    ...unexplained.map(
      ({ error, here, name, open }) =>
        `UNEXPLAINED, as ${as} (${mode}): ${name}: ${open} -> ${here} ${error.slice(0, 300)}`,
    ),
    ...stale.map(
      ({ because, tests }) =>
        `explains nothing any more, as ${as} (${mode}): ${tests} "${because}" in bench/conformance/runs.ts`,
    ),
  ]);
}
