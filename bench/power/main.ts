import { availableParallelism } from "node:os";
import { cutPower } from "./cuts";
import { POWER_OPERATIONS, type PowerOperation } from "./operations";
import { type PowerReport, replay, tryStates } from "./power";
import { cutNamed } from "./states";
import { straceMissing } from "./strace";

const say = (line: string) => console.log(line);

/** `main.ts [STATES [CUTS [SEED]]]`: of each operation, on each file system; or `main.ts replay OPERATION CUT`. */
async function main(): Promise<void> {
  const [first = "375", second = "25", third = "1"] = process.argv.slice(2);
  if (first === "replay") return replayed(second, third);
  const reports = [
    await part("every state", straceMissing(), () =>
      tryStates({
        states: Number(first),
        seed: Number(third),
        withZot: 100,
        workers: availableParallelism(),
        say,
      }),
    ),
    await part("real power cuts", undefined, () => cutPower({ cuts: Number(second), seed: Number(third), say })),
  ];
  const findings = reports.flatMap((report) => report?.findings ?? []);
  process.exitCode = findings.length === 0 && reports.some(Boolean) ? 0 : 1;
}

/** What this machine cannot do is left out, and said. */
async function part(
  title: string,
  missing: string | undefined,
  run: () => Promise<PowerReport>,
): Promise<PowerReport | undefined> {
  const began = Date.now();
  try {
    if (missing) throw new Error(missing);
    const report = await run();
    summarize(title, report, Math.round((Date.now() - began) / 1000));
    return report;
  } catch (error) {
    say(`${title}: not possible here: ${(error as Error).message}`);
    return undefined;
  }
}

function summarize(title: string, { breaches, states, waited, withZot }: PowerReport, seconds: number): void {
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, count) => all + count, 0);
  say(`${title}: ${sum(states)} in ${seconds} s, ${withZot} of them with a zot of its own: ${JSON.stringify(states)}`);
  say(`  zot waits for the agent's next call in ${sum(waited)}: ${JSON.stringify(waited)}`);
  for (const [breach, count] of Object.entries(breaches)) say(`  ${count} ${breach}`);
}

async function replayed(name: string, cut: string): Promise<void> {
  const operation = POWER_OPERATIONS.find((known) => known.name === name) as PowerOperation;
  say(JSON.stringify(await replay(operation, cutNamed(cut)), undefined, 2));
}

if (require.main === module) void main();
