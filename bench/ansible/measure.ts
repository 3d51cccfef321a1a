import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sshConnections, sshSessions } from "../../sandbox/host/host";
import { type LoopReport, RequestLoop } from "../../sandbox/host/request-loop";
import { waitForHttp } from "../../sandbox/process";
import type { Run } from "../../sandbox/stack";
import type { RawSettings } from "../../src/settings/settings";
import type { Contender } from "./contenders";

/** How long (s) a registry that is away after a run is left alone, as by an operator who has gone home. */
export const LEFT_ALONE = 20;

/** A run by the clock and by what the host's sshd logged. */
interface Measured {
  run: Run;
  seconds: number;
  connections: number;
  sessions: number;
}

/** All runs of one kind by one contender. */
export interface Runs {
  contender: Contender;
  measured: Measured[];
  /** Of those during which the registry was asked every millisecond. */
  asked: LoopReport[];
}

async function measure({ registry, rest, run }: Contender): Promise<Measured> {
  rest();
  const directory = join(registry.host.configDirectory, "..");
  const [connections, sessions] = [sshConnections(directory), sshSessions(directory)];
  const began = performance.now();
  const ran = await run();
  return {
    run: ran,
    seconds: (performance.now() - began) / 1000,
    connections: sshConnections(directory) - connections,
    sessions: sshSessions(directory) - sessions,
  };
}

async function succeeding(contender: Contender): Promise<Measured> {
  const measured = await measure(contender);
  if (measured.run.code !== 0) throw new Error(`${contender.name} failed:\n${measured.run.output}`);
  await waitForHttp(`${contender.registry.url}/readyz`);
  return measured;
}

async function whileAsked<T>({ registry }: Contender, work: () => Promise<T>): Promise<[T, LoopReport]> {
  const loop = new RequestLoop(`${registry.url}/v2/`);
  const result = await work().finally(() => loop.stop());
  return [result, await loop.stop()];
}

/**
 * Runs that must succeed, of all contenders in turn, so that a change in the machine's speed meets all of them alike.
 * @param times how many are timed with nothing else going on, and how many while the registry is asked every millisecond;
 *   none of the first: the others are timed
 */
export async function inTurn(
  contenders: Contender[],
  settings: (run: number) => RawSettings,
  times: { alone: number; asked: number },
): Promise<Runs[]> {
  const all: Runs[] = contenders.map((contender) => ({ contender, measured: [], asked: [] }));
  for (let run = 1; run <= times.alone + times.asked; run++) {
    for (const { asked, contender, measured } of all) {
      contender.configure(settings(run));
      if (run <= times.alone) {
        measured.push(await succeeding(contender));
        continue;
      }
      const [one, report] = await whileAsked(contender, () => succeeding(contender));
      asked.push(report);
      if (times.alone === 0) measured.push(one);
    }
  }
  return all;
}

export interface Failure extends LoopReport {
  contender: Contender;
  run: Run;
  /** Whether the registry does not answer after the run, nor after it was left alone. */
  away: boolean;
  /** The run after that, with nothing mended. */
  next: Run;
}

/** A run that cannot bring about what it should, and what becomes of the registry. */
export async function failing(contender: Contender, settings: RawSettings): Promise<Failure> {
  const answers = () =>
    fetch(`${contender.registry.url}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
  contender.configure(settings);
  const [{ away, run }, report] = await whileAsked(contender, async () => {
    const { run } = await measure(contender);
    if (await answers()) return { run, away: false };
    await sleep(LEFT_ALONE * 1000);
    return { run, away: !(await answers()) };
  });
  contender.rest();
  return { ...report, contender, run, away, next: await contender.run() };
}

/** Back to settings that are right. @throws when that does not bring the registry back */
export async function mend(contenders: Contender[], settings: RawSettings): Promise<void> {
  for (const contender of contenders) {
    contender.configure(settings);
    await succeeding(contender);
  }
}
