import { PowerBench } from "./bench";
import { BREACHES, type Breach, judge, type Verdict, writesInPlace } from "./judge";
import { POWER_OPERATIONS, type PowerOperation } from "./operations";
import { type Cut, nameOf, type Recording, type State, statesOf, treeAfter } from "./states";

export interface PowerReport {
  /** By operation. */
  states: Record<string, number>;
  /** Those of them that the real zot, or its stand-in as a process, was started in. */
  withZot: number;
  /** States in which zot starts only after the agent's next call, by operation. */
  waited: Record<string, number>;
  breaches: Record<Breach, number>;
  /** One line for each. */
  findings: string[];
}

export interface PowerOptions {
  operations?: readonly PowerOperation[];
  seed?: number;
  /** States of each operation. */
  states: number;
  /** Each n-th is judged with zot as a process of its own. */
  withZot?: number;
  workers?: number;
  say?: (line: string) => void;
}

export function emptyReport(): PowerReport {
  const breaches = Object.fromEntries(BREACHES.map((breach) => [breach, 0])) as Record<Breach, number>;
  return { states: {}, withZot: 0, waited: {}, breaches, findings: [] };
}

/** Cuts the power in every operation, at every call. */
export async function tryStates(options: PowerOptions): Promise<PowerReport> {
  const { operations = POWER_OPERATIONS, workers = 1 } = options;
  const report = emptyReport();
  const waiting = [...operations];
  const work = async () => {
    const bench = await PowerBench.start();
    try {
      for (let next = waiting.shift(); next; next = waiting.shift()) await tryOperation(bench, next, options, report);
    } finally {
      bench.stop();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return report;
}

async function tryOperation(
  bench: PowerBench,
  operation: PowerOperation,
  { seed = 1, states, withZot = 0, say = () => {} }: PowerOptions,
  report: PowerReport,
): Promise<void> {
  const recording = await bench.record(operation);
  let count = 0;
  for (const state of statesOf(recording, seed, states)) {
    const kind = withZot > 0 && ++count % withZot === 0 ? "real" : "cheap";
    if (kind === "real") report.withZot++;
    const verdict = await judgeState(bench, operation, recording, state, kind);
    report.states[operation.name] = (report.states[operation.name] ?? 0) + 1;
    note(report, operation, verdict, nameOf(state.cut), say);
  }
  say(`${operation.name}: ${report.states[operation.name]} states of ${recording.calls.length} calls`);
}

/** Counts what was found of an operation that was cut off in some way. */
export function note(
  report: PowerReport,
  { name }: PowerOperation,
  { findings, waited }: Verdict,
  how: string,
  say: (line: string) => void,
): void {
  if (waited) report.waited[name] = (report.waited[name] ?? 0) + 1;
  for (const { breach, what } of findings) {
    report.breaches[breach]++;
    const line = `${name}, ${how}: ${breach}: ${what}`;
    report.findings.push(line);
    say(line);
  }
}

/** What comes of one state. */
export async function judgeState(
  bench: PowerBench,
  operation: PowerOperation,
  recording: Recording,
  { cut, tree }: State,
  kind: "cheap" | "real" = "cheap",
): Promise<Verdict> {
  const under = await bench.service(kind);
  await under.service.stop();
  bench.layDown(tree);
  const answered = recording.answered.find(({ calls }) => calls === cut.calls)?.tree;
  const inPlace = writesInPlace(recording.calls.slice(0, cut.calls));
  return judge(bench, { operation, answered, inPlace }, under);
}

/** One state once more. */
export async function replay(operation: PowerOperation, cut: Cut): Promise<Verdict> {
  const bench = await PowerBench.start();
  try {
    const recording = await bench.record(operation);
    return await judgeState(bench, operation, recording, { cut, tree: treeAfter(recording, cut) });
  } finally {
    bench.stop();
  }
}
