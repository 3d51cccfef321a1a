import { findZot } from "../../sandbox/parts";
import { HOST_KINDS } from "./kinds";
import { tryOut } from "./trial";

/** `make hosts`, or `main.ts WORD` for the kinds with that in their names: a line for each, with what the steps took or why it is left out. */
async function main(): Promise<void> {
  const { kind, version } = findZot();
  console.log(`zot ${version} (${kind})`);
  const [word = ""] = process.argv.slice(2);
  for (const host of HOST_KINDS.filter(({ name }) => name.includes(word)))
    console.log(`${host.name}: ${await outcome(host)}`);
}

async function outcome(host: (typeof HOST_KINDS)[number]): Promise<string> {
  const missing = host.missing();
  if (missing) return `not possible here: ${missing}`;
  try {
    const steps = Object.entries(await tryOut(host));
    return `passed: ${steps.map(([step, took]) => `${step} ${(took / 1000).toFixed(1)} s`).join(", ")}`;
  } catch (error) {
    process.exitCode = 1;
    return `FAILED: ${(error as Error).message}`;
  }
}

void main();
