import { markdownTable, median } from "../benchmark";
import { ACTIONS, type Action, type Course, type Exchange, explain, phaseOf } from "./judge";
import type { Soaked } from "./soak";
import type { Change } from "./timeline";

const CHANGES: Change[] = ["rule change", "rotation", "issuer outage", "service restart", "host reboot"];

/** Times each value occurs, the commonest first. */
function counted<Value extends string | number>(values: Value[]): [Value, number][] {
  const counts = new Map<Value, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function percentile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
}

const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const s = (value: number) => `${(value / 1000).toFixed(1)} s`;

/** The summary, in Markdown, and then everything that nothing explains. */
export function summary(soaked: Soaked): string {
  return [actions(soaked), changes(soaked), phases(soaked), end(soaked), verdict(soaked)].join("");
}

function actions({ recorder }: Soaked): string {
  const head = ["who", "does", "requests", "answered", "explained by", "p50", "p99"];
  const rows = (Object.keys(ACTIONS) as Action[]).flatMap((action) => {
    const own = recorder.exchanges.filter((exchange) => exchange.action === action);
    if (own.length === 0) return [];
    const times = own.map(({ from, to }) => to - from);
    return [
      [
        ACTIONS[action].actor,
        action,
        String(own.length),
        counted(own.map(({ status }) => status))
          .map(([status, count]) => `${status}: ${count}`)
          .join(", "),
        counted(own.map((exchange) => explain(exchange, recorder) ?? "NOTHING"))
          .map(([reason]) => reason)
          .join(", "),
        ms(percentile(times, 0.5)),
        ms(percentile(times, 0.99)),
      ],
    ];
  });
  return markdownTable(head, rows);
}

function changes({ powerCuts, recorder, skipped }: Soaked): string {
  const head = ["change", "done", "left out, the one before was not over", "took, median", "longest"];
  const rows = CHANGES.map((change) => {
    const times = recorder.phases.filter(({ name }) => name === change).map(({ from, to }) => to - from);
    const took = times.length === 0 ? ["", ""] : [s(median(times)), s(Math.max(...times))];
    return [change, String(times.length), String(skipped[change] ?? 0), ...took];
  });
  return `${markdownTable(head, rows)}\nhost reboot: ${powerCuts}\n\n`;
}

/** Of requests to the registry. */
function phases({ recorder }: Soaked): string {
  const requests = recorder.exchanges.filter(
    ({ action }) => ACTIONS[action].actor !== "operator" && action !== "read the stack's outputs",
  );
  const names = requests.map((exchange) => phaseOf(exchange, recorder.phases));
  const rows = ([...CHANGES, "none"] as const).map((phase) => {
    const own = requests.filter((_, index) => names[index] === phase);
    const count = (wanted: (exchange: Exchange) => boolean) => String(own.filter(wanted).length);
    return [
      phase,
      String(own.length),
      count(({ status }) => typeof status === "string"),
      count(({ status }) => Number(status) >= 500),
      count((exchange) => explain(exchange, recorder) === undefined),
    ];
  });
  return markdownTable(["during", "requests", "not answered", "5xx", "unexplained"], rows);
}

function end({ endChecks, memory, seconds }: Soaked): string {
  const rows = endChecks.map(({ seen, title, wrong }) => [title, seen, wrong.length === 0 ? "ok" : "FAILED"]);
  const [before, after] = memory.map((value) => `${value.toFixed(0)} MB`);
  return markdownTable(
    ["at the end", "seen", ""],
    [...rows, [`memory of the registry, at the start and after ${seconds.toFixed(0)} s`, `${before}, ${after}`, ""]],
  );
}

function verdict({ endChecks, passed, recorder, unexplained }: Soaked): string {
  const lines = [
    ...unexplained.map((exchange) => describe(exchange, recorder)),
    ...recorder.problems,
    ...endChecks.flatMap(({ wrong }) => wrong),
  ];
  if (passed) return `${recorder.exchanges.length} answers, all explained; nothing was lost.`;
  return [`${lines.length} unexplained:`, ...lines.map((line) => `- ${line}`)].join("\n");
}

function describe(exchange: Exchange, { phases }: Course): string {
  const { action, from, status, to } = exchange;
  const when = `${s(from)} to ${s(to)}, ${phaseOf(exchange, phases)}`;
  return `${when}: ${ACTIONS[action].actor}, ${action}: ${status}`;
}
