import { cpus } from "node:os";
import type { Part } from "../sandbox/parts";
import type { Run } from "../sandbox/stack";

/** Runs a program that measures: what goes wrong is one sentence and exit code 1, and nothing it started keeps it alive. */
export function benchmark(title: string, run: () => Promise<void>): void {
  console.log(`\n${title}`);
  run().then(
    () => process.exit(process.exitCode ?? 0),
    (error: Error) => {
      console.error(`${title}: ${error.message}`);
      process.exit(1);
    },
  );
}

/** The line a table needs to be read by: the day, the machine, and what was measured, real or stand-in. */
export function conditions(parts: Pick<Part, "name" | "kind" | "version">[]): string {
  const day = new Date().toISOString().slice(0, 10);
  const named = parts.map(({ name, kind, version }) => `${name} ${version} (${kind})`);
  return [`${day}, ${cpus().length} cores, Node ${process.versions.node}`, ...named].join(", ");
}

/** A table as docs/benchmarks.md has them. */
export function markdownTable(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return ["", line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line), ""].join("\n");
}

/** The middle one; of an even number, the upper of the two. */
export function median(values: number[]): number {
  const middle = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  if (middle === undefined) throw new Error("no values to take the median of");
  return middle;
}

/** Of anything, by the clock. */
export async function milliseconds(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Of a pulumi command that must succeed, by the clock. @throws with its output when it fails */
export async function secondsOf(command: () => Promise<Run>): Promise<number> {
  const ms = await milliseconds(async () => {
    const { code, output } = await command();
    if (code !== 0) throw new Error(output);
  });
  return ms / 1000;
}
