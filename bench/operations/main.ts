import { parseArgs } from "node:util";
import { runSequence } from "./sequence";

/**
 * `make operations`: random sequences of what operators do with a stack, each in a world of its own. SEQUENCES=200 many, from
 * SEED=1 on; a failure names its seed, with which it is repeated: `SEQUENCES=1 SEED=17`. Exit status 1 when a promise was
 * broken.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { sequences: { type: "string", default: "200" }, seed: { type: "string", default: "1" } },
  });
  let [operations, broken] = [0, 0];
  const first = Number(values.seed);
  for (let seed = first; seed < first + Number(values.sequences); seed++) {
    const begun = performance.now();
    const { broken: promises, done, steps } = await runSequence(seed, [6, 12], () => {});
    operations += done;
    broken += promises.length;
    const seconds = Math.round((performance.now() - begun) / 1000);
    console.log(
      `seed ${seed}: ${done} of ${steps.length} in ${seconds} s: ${steps.map(({ operation }) => operation).join(", ")}`,
    );
    for (const promise of promises) console.log(`  BROKEN (SEQUENCES=1 SEED=${seed}): ${promise}`);
  }
  console.log(`${operations} operations, ${broken} broken promises`);
  process.exitCode = broken > 0 ? 1 : 0;
}

main();
