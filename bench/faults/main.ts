import { availableParallelism } from "node:os";
import { FaultBench } from "./bench";
import { OPERATIONS, type Operation } from "./operations";
import { FAULTS, type Fault } from "./shims";

export interface FaultReport {
  /** Injected, by kind. */
  injected: Record<Fault, number>;
  /** Could not be brought about, by kind: no right to mount, or a file that was being written. */
  skipped: Record<Fault, number>;
  /** Faults after which, one call later, the registry did not serve what it should. */
  outages: number;
  /** Faults after which something was left half done, said wrongly, or a secret open to others. */
  halfStates: number;
  /** One line for each of those. */
  findings: string[];
  /** Calls that each operation was interrupted at. */
  steps: Record<string, string[]>;
}

export interface FaultOptions {
  /** Only each n-th fault, for a sample. Default 1. */
  every?: number;
  operations?: readonly Operation[];
  faults?: readonly Fault[];
  /** Hosts that are put through it at the same time. Default 1. */
  workers?: number;
  say?: (line: string) => void;
}

/** Lets everything go wrong that can, at every step of every operation. */
export async function runFaults({
  every = 1,
  operations = OPERATIONS,
  faults = FAULTS,
  workers = 1,
  say,
}: FaultOptions): Promise<FaultReport> {
  const none = () => Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  const report: FaultReport = {
    injected: none(),
    skipped: none(),
    outages: 0,
    halfStates: 0,
    findings: [],
    steps: {},
  };
  const waiting = operations.flatMap((operation) => faults.map((fault) => ({ operation, fault })));
  // A sample is counted within each kind, so that it has some of every kind, and not of all kinds at the same step.
  const turns = none();
  for (const [index, fault] of FAULTS.entries()) turns[fault] = Math.floor((index * every) / FAULTS.length);
  const chosen = (fault: Fault) => turns[fault]++ % every === 0;
  const work = async () => {
    const bench = await FaultBench.start();
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await interrupt(bench, next, chosen, report, say);
      }
    } finally {
      bench.stop();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return report;
}

async function interrupt(
  bench: FaultBench,
  { operation, fault }: { operation: Operation; fault: Fault },
  chosen: (fault: Fault) => boolean,
  report: FaultReport,
  say: FaultOptions["say"] = () => {},
): Promise<void> {
  report.steps[operation.name] ??= await bench.stepsOf(operation);
  for (let call = 1; call <= (report.steps[operation.name]?.length ?? 0); call++) {
    if (!chosen(fault)) continue;
    const findings = await bench.inject(operation, fault, call);
    if (findings === undefined) {
      report.skipped[fault]++;
      continue;
    }
    report.injected[fault]++;
    for (const { kind, what } of findings) {
      report[kind]++;
      const line = `${operation.name}, ${fault} at ${call} (${bench.hit}): ${what}`;
      report.findings.push(line);
      say(line);
    }
  }
  say(`${operation.name}, ${fault}: done`);
}

export const total = (counts: Record<Fault, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** `main.ts [EVERY [OPERATION [FAULT]]]`: all, each n-th, or those of one operation or kind. */
async function main(): Promise<void> {
  const [every = "1", name, kind] = process.argv.slice(2);
  const began = Date.now();
  const report = await runFaults({
    every: Number(every),
    operations: OPERATIONS.filter((operation) => name === undefined || name === operation.name),
    faults: FAULTS.filter((fault) => kind === undefined || kind === fault),
    workers: availableParallelism(),
    say: (line) => console.log(line),
  });
  const { injected, skipped, outages, halfStates } = report;
  for (const fault of FAULTS) {
    console.log(`${fault}: ${injected[fault]}${skipped[fault] > 0 ? `, and ${skipped[fault]} not possible here` : ""}`);
  }
  console.log(`${Math.round((Date.now() - began) / 1000)} s`);
  console.log(`${total(injected)} faults, ${outages} outages, ${halfStates} half states`);
  process.exitCode = outages + halfStates === 0 && total(injected) > 0 ? 0 : 1;
}

if (require.main === module) void main();
