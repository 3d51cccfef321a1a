import type { ChildProcess } from "node:child_process";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentDriver } from "../../sandbox/host/agent-driver";
import { PowerBench } from "./bench";
import { DISK_KINDS, Disk, type DiskKind } from "./disk";
import type { Tree } from "./file-system";
import { type Interrupted, judge } from "./judge";
import { POWER_OPERATIONS, type PowerOperation } from "./operations";
import { emptyReport, note, type PowerReport } from "./power";
import { numbers } from "./states";

/** How long after the last answer the power may go, in ms: ext4 writes names after a second here, and content after 30. */
const AFTERWARDS = 3000;

export interface CutOptions {
  seed?: number;
  /** On each kind of file system. */
  cuts: number;
  say?: (line: string) => void;
}

/**
 * Cuts the power of a real file system at random moments of every operation, and of the seconds after it.
 * @throws when this machine cannot do that, saying why
 */
export async function cutPower({ seed = 1, cuts, say = () => {} }: CutOptions): Promise<PowerReport> {
  const report = emptyReport();
  for (const kind of DISK_KINDS) {
    const next = numbers(seed);
    await onDisk(kind, async (bench, disk) => {
      for (let cut = 0; cut < cuts; cut++) {
        const operation = POWER_OPERATIONS[cut % POWER_OPERATIONS.length] as PowerOperation;
        const { interrupted, when } = await cutOff(bench, disk, operation, next);
        const verdict = await judge(bench, interrupted, await bench.service("cheap"));
        report.states[kind] = (report.states[kind] ?? 0) + 1;
        note(report, operation, verdict, `${kind}, ${when}`, say);
      }
    });
    say(`${kind}: ${cuts} cuts`);
  }
  return report;
}

async function onDisk(kind: DiskKind, work: (bench: PowerBench, disk: Disk) => Promise<void>): Promise<void> {
  let disk: Disk | undefined;
  const image = join(tmpdir(), `harden-zot-power-${process.pid}.${kind}`);
  const bench = await PowerBench.start((directory) => {
    disk = Disk.make(kind, image, directory);
  });
  try {
    await work(bench, disk as Disk);
  } finally {
    disk?.remove();
    bench.stop();
  }
}

async function cutOff(
  bench: PowerBench,
  disk: Disk,
  operation: PowerOperation,
  next: () => number,
): Promise<{ interrupted: Interrupted; when: string }> {
  await bench.prepare(operation);
  disk.settle();
  const run = new Run(bench, operation);
  const afterwards = next() < 0.4;
  if (afterwards) await run.end;
  const delay = Math.floor(next() * (afterwards ? AFTERWARDS : run.expected));
  await sleep(delay);
  // Anybody who syncs a file of theirs makes the disk keep the names of all.
  if (next() < 0.5) syncAnother(join(bench.configDirectory, "lost+found.other"));
  disk.cut();
  const interrupted = run.cut();
  const { service } = await bench.service("cheap");
  await service.stop();
  await run.end;
  await disk.restart();
  return { interrupted, when: `cut ${delay} ms after its ${afterwards ? "end" : "beginning"}` };
}

function syncAnother(file: string): void {
  const descriptor = openSync(file, "w");
  writeSync(descriptor, "x");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** How long each operation took the last time it was let to its end, in ms. */
const durations = new Map<string, number>();

/** An operation that is being carried out. */
class Run {
  readonly end: Promise<void>;
  private agent: ChildProcess | undefined;
  private over = false;
  /** undefined while a step is being carried out. */
  private answered: Tree | undefined;

  constructor(
    private readonly bench: PowerBench,
    private readonly operation: PowerOperation,
  ) {
    this.end = this.carryOut();
  }

  /** In ms. */
  get expected(): number {
    return durations.get(this.operation.name) ?? 600;
  }

  /** The host is gone, and with it who ran on it. */
  cut(): Interrupted {
    this.over = true;
    this.agent?.kill("SIGKILL");
    const { answered, operation } = this;
    return { operation, answered, inPlace: answered === undefined && operation.name.startsWith("reload") };
  }

  private async carryOut(): Promise<void> {
    const began = Date.now();
    const driver = new AgentDriver(this.bench.agent.host);
    const run = driver.run.bind(driver);
    driver.run = (command, stdin) =>
      run(command, stdin, (agent) => {
        this.agent = agent;
      });
    for (const step of this.operation.steps) {
      if (this.over) return;
      this.answered = undefined;
      await this.bench.run(step, this.operation.to, driver);
      if (!this.over) this.answered = this.bench.tree();
    }
    if (!this.over) durations.set(this.operation.name, Date.now() - began);
  }
}
