import { join } from "node:path";
import { sshConnections } from "../host/host";
import { type Sandbox, startSandbox } from "../sandbox";
import type { Run } from "../stack";
import { benchmark, conditions, markdownTable, secondsOf } from "./benchmark";

const SIZES = (process.env.HOSTS ?? "1 3 10 30").split(/[ ,]+/).map(Number);

interface Measured {
  seconds: number;
  /** SSH connections a host: the fewest and the most that one of them let in. */
  connections: [number, number];
}

/** One `up`, by the clock and by what every host's sshd logged. */
async function measure({ registries }: Sandbox, up: () => Promise<Run>): Promise<Measured> {
  const count = () => registries.map(({ host }) => sshConnections(join(host.configDirectory, "..")));
  const before = count();
  const seconds = await secondsOf(up);
  const each = count().map((now, index) => now - (before[index] as number));
  return { seconds, connections: [Math.min(...each), Math.max(...each)] };
}

/** A stack of so many hosts: hardened, left alone, given one changed rule. */
async function benchHosts(hosts: number): Promise<Measured[]> {
  const sandbox = await startSandbox(() => {}, hosts);
  try {
    const first = await measure(sandbox, () => sandbox.stack.up());
    const same = await measure(sandbox, () => sandbox.stack.up("--expect-no-changes"));
    const settings = sandbox.settings();
    const access = settings["harden-zot:access"] as { tags: { mutable: string[] } };
    access.tags.mutable.push("edge");
    sandbox.stack.configure(settings);
    const rule = await measure(sandbox, () => sandbox.stack.up());
    if (hosts === SIZES[0]) console.log(conditions(sandbox.parts));
    return [first, same, rule];
  } finally {
    await sandbox.stop();
  }
}

benchmark("Hosts in a row", async () => {
  // Every host is ended with this process, by a listener of its own.
  process.setMaxListeners(2 * Math.max(...SIZES) + 20);
  const columns = ["first up", "up, no change", "up, one rule"];
  const head = ["hosts", ...columns.flatMap((column) => [column, "SSH a host"])];
  const rows: string[][] = [];
  for (const hosts of SIZES) {
    const measured = await benchHosts(hosts);
    const cells = measured.flatMap(({ seconds, connections: [fewest, most] }) => [
      `${seconds.toFixed(1)} s`,
      fewest === most ? String(most) : `${fewest}-${most}`,
    ]);
    rows.push([String(hosts), ...cells]);
  }
  console.log(markdownTable(head, rows));
});
