import { type Sandbox, startSandbox } from "../sandbox/sandbox";
import { benchmark, conditions, markdownTable, secondsOf } from "./benchmark";

const SIZES = (process.env.IDENTITIES ?? "1 10 50").split(/[ ,]+/).map(Number);

/** `up` by the clock, with so many CI identities. @param rotate another text for another key of each */
async function upWith(sandbox: Sandbox, identities: number, rotate: string): Promise<number> {
  const settings = sandbox.settings();
  settings["harden-zot:ci"] = Array.from({ length: identities }, (_, index) => ({
    name: `bench${identities}-${index}`,
    group: `bench${identities}-group-${index}`,
    repositories: [`bench${identities}-${index}/**`],
    key: { rotate },
  }));
  sandbox.stack.configure(settings);
  return secondsOf(() => sandbox.stack.up());
}

benchmark("API keys", async () => {
  const head = ["identities", "up that makes accounts and keys", "up that rotates every key", "up, no change"];
  const rows: string[][] = [];
  const sandbox = await startSandbox(() => {});
  try {
    console.log(conditions(sandbox.parts));
    // The registry is hardened already when the first of them is measured.
    await secondsOf(() => sandbox.stack.up());
    for (const identities of SIZES) {
      const first = await upWith(sandbox, identities, "first");
      const rotated = await upWith(sandbox, identities, "second");
      const same = await secondsOf(() => sandbox.stack.up("--expect-no-changes"));
      rows.push([String(identities), ...[first, rotated, same].map((time) => `${time.toFixed(1)} s`)]);
    }
  } finally {
    await sandbox.stop();
  }
  console.log(markdownTable(head, rows));
});
