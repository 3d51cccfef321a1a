import Table from "cli-table3";
import { type Sandbox, startSandbox } from "./sandbox";

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
  return seconds(() => sandbox.stack.up());
}

async function seconds(run: () => Promise<{ code: number; output: string }>): Promise<number> {
  const started = performance.now();
  const { code, output } = await run();
  if (code !== 0) throw new Error(output);
  return (performance.now() - started) / 1000;
}

async function bench(): Promise<void> {
  const head = ["identities", "up that makes accounts and keys", "up that rotates every key", "up, no change"];
  const table = new Table({ head, style: { head: [], border: [] } });
  const sandbox = await startSandbox(() => {});
  try {
    console.log(sandbox.parts.map(({ name, kind }) => `${name} ${kind}`).join(", "));
    // The registry is hardened already when the first of them is measured.
    await seconds(() => sandbox.stack.up());
    for (const identities of SIZES) {
      const first = await upWith(sandbox, identities, "first");
      const rotated = await upWith(sandbox, identities, "second");
      const same = await seconds(() => sandbox.stack.up("--expect-no-changes"));
      table.push([String(identities), ...[first, rotated, same].map((time) => `${time.toFixed(1)} s`)]);
    }
  } finally {
    await sandbox.stop();
  }
  console.log(table.toString());
}

bench().then(
  () => process.exit(0),
  (error: Error) => {
    console.error(`bench: ${error.message}`);
    process.exit(1);
  },
);
