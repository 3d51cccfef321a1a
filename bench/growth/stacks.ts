import { join } from "node:path";
import { sshConnections } from "../../sandbox/host/host";
import type { Part } from "../../sandbox/parts";
import { type Sandbox, startSandbox } from "../../sandbox/sandbox";
import type { Run } from "../../sandbox/stack";
import { ciOf } from "./input";
import { costOf } from "./processes";
import type { Point, Series } from "./series";

/** `preview` of a hardened stack that gets so many identities or patterns, and `up` that makes so many identities. */
export async function identityRuns(
  previews: number[],
  ups: number[],
  log: (line: string) => void,
): Promise<{ parts: Part[]; series: Series[] }> {
  const sandbox = await startSandbox(() => {});
  const configure = (ci: object[]) => sandbox.stack.configure({ ...sandbox.settings(), "harden-zot:ci": ci });
  try {
    // Nothing of it is there yet when the first of them is measured, but the registry is hardened.
    configure([]);
    await costOf(0, () => sandbox.stack.up());
    const previewed = async (axis: "identities" | "patterns"): Promise<Series> => {
      const points: Point[] = [];
      for (const n of previews) {
        configure(ciOf(axis, n));
        points.push(await costOf(n, () => sandbox.stack.preview()));
        log(`preview, ${n} ${axis}: ${points.at(-1)?.wall.toFixed(1)} s`);
      }
      return { step: "pulumi preview", axis, points };
    };
    const previewRuns = [await previewed("identities"), await previewed("patterns")];
    const points: Point[] = [];
    for (const n of ups) {
      configure(ciOf("identities", n));
      points.push(await costOf(n, () => sandbox.stack.up()));
      log(`first up, ${n} identities: ${points.at(-1)?.wall.toFixed(1)} s`);
      configure([]);
      await costOf(0, () => sandbox.stack.up());
    }
    const first: Series = { step: "first pulumi up, keys included", axis: "identities", points };
    return { parts: sandbox.parts, series: [...previewRuns, first] };
  } finally {
    await sandbox.stop();
  }
}

interface HostRun extends Point {
  /** SSH connections a host: the fewest and the most that one of them let in. */
  connections: [number, number];
}

export const HOST_RUNS = ["first up", "up, no change", "up, one rule"] as const;

/** A stack of so many hosts: hardened, left alone, given one changed rule; in the order of HOST_RUNS. */
export async function hostRuns(hosts: number): Promise<HostRun[]> {
  const sandbox = await startSandbox(() => {}, hosts);
  try {
    const first = await withConnections(sandbox, () => sandbox.stack.up());
    const same = await withConnections(sandbox, () => sandbox.stack.up("--expect-no-changes"));
    const settings = sandbox.settings();
    const access = settings["harden-zot:access"] as { tags: { mutable: string[] } };
    access.tags.mutable.push("edge");
    sandbox.stack.configure(settings);
    return [first, same, await withConnections(sandbox, () => sandbox.stack.up())];
  } finally {
    await sandbox.stop();
  }
}

async function withConnections({ registries }: Sandbox, up: () => Promise<Run>): Promise<HostRun> {
  const count = () => registries.map(({ host }) => sshConnections(join(host.configDirectory, "..")));
  const before = count();
  const cost = await costOf(registries.length, up);
  const each = count().map((now, index) => now - (before[index] as number));
  return { ...cost, connections: [Math.min(...each), Math.max(...each)] };
}
