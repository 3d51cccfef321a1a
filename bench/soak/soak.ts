import { setTimeout as sleep } from "node:timers/promises";
import { pushImage } from "../../sandbox/distribution";
import type { Sandbox } from "../../sandbox/sandbox";
import type { Disk } from "../power/disk";
import { Load, type Login } from "./clients";
import { type EndCheck, endChecks, memoryOf } from "./end-checks";
import { GUARDED, SEEDS } from "./images";
import { type Exchange, HALF_WRITTEN, unexplained } from "./judge";
import { harden, Operator, type Slow } from "./operator";
import { onDisk } from "./power";
import { Recorder } from "./recorder";
import { slownessOf, startSlowUpstream } from "./slow";
import { type Change, overtaken, type Timeline, timeline } from "./timeline";

/** All that a run saw, and whether it may be called good. */
export interface Soaked {
  recorder: Recorder;
  /** Of each kind. */
  skipped: Partial<Record<Change, number>>;
  unexplained: Exchange[];
  endChecks: EndCheck[];
  /** What "host reboot" was, in words. */
  powerCuts: string;
  /** MB of the registry's, at the start and at the end. */
  memory: [number, number];
  seconds: number;
  passed: boolean;
}

/**
 * Clients that pull and push at fixed rates on a sandbox, while its rules, its keys and its machines change.
 * @param sandbox fresh: its registry is still open
 * @param log told what happens
 */
export async function soak(sandbox: Sandbox, seconds: number, log: (line: string) => void): Promise<Soaked> {
  const { disk, powerCuts } = onDisk(sandbox.host);
  log(`host reboot: ${powerCuts}`);
  try {
    return { powerCuts, ...(await soakOn(disk, sandbox, seconds, log)) };
  } finally {
    disk?.remove();
  }
}

async function soakOn(
  disk: Disk | undefined,
  sandbox: Sandbox,
  seconds: number,
  log: (line: string) => void,
): Promise<Omit<Soaked, "powerCuts">> {
  const slowness = slownessOf(seconds);
  const [{ url }] = (sandbox.settings()["harden-zot:registry"] as { pullThrough: [{ url: string }] }).pullThrough;
  const upstream = await startSlowUpstream(url, slowness.seconds);
  try {
    return await soakThrough({ ...slowness, upstream: upstream.url }, disk, sandbox, seconds, log);
  } finally {
    upstream.close();
  }
}

async function soakThrough(
  slow: Slow,
  disk: Disk | undefined,
  sandbox: Sandbox,
  seconds: number,
  log: (line: string) => void,
): Promise<Omit<Soaked, "powerCuts">> {
  await layDown(sandbox);
  await harden(sandbox, slow);
  const memoryBefore = memoryOf(sandbox);
  const recorder = new Recorder();
  const around = {
    registry: sandbox.registryUrl,
    recorder,
    cached: sandbox.cached,
    slow: slow.seconds,
    login: () => loginOf(sandbox, recorder),
  };
  const load = new Load(around);
  const plan = timeline(seconds);
  const operator = new Operator(sandbox, around, load, plan.outage, slow, disk);
  await operator.begin();
  load.start();
  const skipped = await follow(plan, operator, recorder, log);
  await load.stop();
  const measured = recorder.now() / 1000;
  const memory: [number, number] = [memoryBefore, memoryOf(sandbox)];
  log("every client is gone: what is there now?");
  const checks = await endChecks(sandbox, operator, recorder, await around.login(), slow.seconds);
  const strange = unexplained(recorder.exchanges, recorder);
  const passed = strange.length + recorder.problems.length + checks.flatMap(({ wrong }) => wrong).length === 0;
  return { recorder, skipped, unexplained: strange, endChecks: checks, memory, seconds: measured, passed };
}

/** One change after the other, each when it is due, to the end of the run. @returns how many of each kind were left out */
async function follow(
  { changes, seconds }: Timeline,
  operator: Operator,
  recorder: Recorder,
  log: (line: string) => void,
): Promise<Soaked["skipped"]> {
  const elapsed = () => recorder.now() / 1000;
  const skipped: Soaked["skipped"] = {};
  for (const [index, { at, change }] of changes.entries()) {
    await sleep(Math.max(0, 1000 * (at - elapsed())));
    if (overtaken(changes, index, elapsed())) {
      skipped[change] = (skipped[change] ?? 0) + 1;
      continue;
    }
    log(`${elapsed().toFixed(0)} s: ${change}`);
    await operator.carryOut(change);
  }
  await sleep(Math.max(0, 1000 * (seconds - elapsed())));
  return skipped;
}

async function layDown({ registryUrl }: Sandbox): Promise<void> {
  for (const { image, repository, tag } of [...SEEDS, GUARDED]) {
    const { status } = await pushImage(registryUrl, repository, tag, image);
    if (status !== 201) throw new Error(`the open registry answered ${status} to a push of ${repository}:${tag}`);
  }
}

/** As CI reads it: `pulumi stack output`. @param again whether to read once more when an up is writing the state */
async function loginOf(sandbox: Sandbox, recorder: Recorder, again = true): Promise<Login> {
  const from = recorder.now();
  try {
    const outputs = await sandbox.stack.outputs("--show-secrets");
    const { ciSecrets } = outputs as { ciSecrets: Record<string, { apiKey: string }> };
    const [username, { apiKey }] = Object.entries(ciSecrets)[0] as [string, { apiKey: string }];
    recorder.note("read the stack's outputs", "done", from);
    return { username, apiKey };
  } catch (error) {
    const { message } = error as Error;
    const halfWritten = message.includes("failed to load checkpoint: EOF");
    recorder.note("read the stack's outputs", halfWritten ? HALF_WRITTEN : "failed", from);
    if (halfWritten && again) return loginOf(sandbox, recorder, false);
    recorder.problem(message);
    throw error;
  }
}
