import Table from "cli-table3";
import type { Result } from "./check";
import type { Outcome } from "./finding";

export interface Report {
  registry: string;
  readOnly: boolean;
  /** No check failed; warnings and skipped ones do not count. */
  passed: boolean;
  counts: Record<Outcome, number>;
  milliseconds: number;
  checks: Result[];
}

/** @param milliseconds of the whole run */
export function reportOn(registry: string, readOnly: boolean, checks: Result[], milliseconds: number): Report {
  const counts: Report["counts"] = { ok: 0, warning: 0, failed: 0, skipped: 0 };
  for (const { outcome } of checks) counts[outcome]++;
  return { registry, readOnly, passed: counts.failed === 0, counts, milliseconds: Math.round(milliseconds), checks };
}

const MARK: Record<Outcome, string> = { ok: "ok", warning: "warning", failed: "FAILED", skipped: "skipped" };

/** One line, for a list of services. */
export function renderLine({ registry, passed, counts, checks }: Report): string {
  const { failed, ok, skipped, warning } = counts;
  const names = checks.filter(({ outcome }) => outcome === "failed").map(({ id }) => id);
  const which = names.length > 0 ? ` (${names.join(", ")})` : "";
  const parts = [`${ok} ok`, `${failed} failed${which}`, `${warning} warnings`, `${skipped} skipped`];
  return `zot ${passed ? "ok" : "FAILED"}: ${registry}: ${parts.join(", ")}`;
}

/** The table, then what to do about everything that failed or is worth knowing. */
export function renderReport(report: Report): string {
  const table = new Table({
    head: ["", "check", "seen"],
    style: { head: [], border: [] },
    colWidths: [9, 44, 62],
    wordWrap: true,
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  for (const { outcome, title, seen } of report.checks) table.push([MARK[outcome], title, seen]);
  const notes = report.checks.filter(({ cause }) => cause !== undefined).map(renderNote);
  const time = `${(report.milliseconds / 1000).toFixed(1)} s`;
  return [table.toString(), ...notes, `${renderLine(report)} (${time}${report.readOnly ? ", read only" : ""})`].join(
    "\n\n",
  );
}

function renderNote({ id, title, outcome, expected, seen, cause, fix }: Result): string {
  return [
    `${MARK[outcome]}: ${title} [${id}]`,
    `  expected  ${expected}`,
    `  seen      ${seen}`,
    `  because   ${cause}`,
    `  do        ${fix}`,
  ].join("\n");
}
