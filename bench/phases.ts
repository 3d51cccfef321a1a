import type { Run } from "../sandbox/stack";
import { markdownTable, median } from "./benchmark";

/** What a command of Pulumi does one after the other, and what the engine (3.259, `-v=5`) logs when that is over. */
const PHASES: [name: string, over: string | undefined][] = [
  ["engine and language host, until Node is started", "deploymentExecutor.Execute(...): waiting for incoming events"],
  ["Node, and what of Pulumi's SDK runs a program", "produced a registration: t=pulumi:pulumi:Stack,"],
  ["the rest of the SDK and our modules; settings, rules, lints", "handling default provider request"],
  ["Authentik, host and registry asked", "produced a registration: t=harden-zot:identity:RelyingParty,"],
  ["resources registered", "incoming source event (nil? true"],
  ["engine, until it ends", undefined],
];

/** For the engine to log what `phasesTable` reads. */
export const LOGGED = ["-v=5", "--logtostderr"];

/** @param run with the flags `LOGGED` */
export async function phasesOf(run: () => Promise<Run>): Promise<number[]> {
  const started = Date.now();
  const { code, output } = await run();
  const ended = Date.now();
  if (code !== 0) throw new Error(output);
  const entries = [...output.matchAll(/\{"time":"([^"]+)","level":"[A-Z]+","msg":"([^"]*)/g)];
  const ends = PHASES.map(([, over]) => {
    const time = over && entries.find(([, , message]) => message?.includes(over))?.[1];
    return time ? Date.parse(time) : undefined;
  });
  let last = started;
  return ends.map((_, phase) => {
    // An empty program has no resources: until the next end that there is.
    const until = ends.slice(phase).find((end) => end !== undefined) ?? ended;
    const milliseconds = until - last;
    last = until;
    return milliseconds;
  });
}

/** Medians, of each phase on its own. @param runs by program, each run as `phasesOf` gives it */
export function phasesTable(runs: Map<string, number[][]>): string {
  const rows = PHASES.map(([name], phase) => [
    name,
    ...[...runs.values()].map((all) => `${median(all.map((run) => run[phase] ?? 0)).toFixed(0)} ms`),
  ]);
  return markdownTable(["a preview", ...runs.keys()], rows);
}
