import fc from "fast-check";
import { OPERATIONS, type Operation } from "./operations";
import { World } from "./world";

export interface Step {
  operation: keyof typeof OPERATIONS;
  /** Chooses among what there is: resources, identities, milliseconds. */
  pick: number;
}

export interface Outcome {
  seed: number;
  steps: Step[];
  /** How many were carried out. */
  done: number;
  /** In words, with the step after which it was seen; none when all promises were kept. */
  broken: string[];
}

const names = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[];

/** The steps that a seed stands for. @param length the fewest and the most */
export function stepsOf(seed: number, [minLength, maxLength]: [number, number]): Step[] {
  const step = fc.record({ operation: fc.constantFrom(...names), pick: fc.nat() });
  return fc.sample(fc.array(step, { minLength, maxLength, size: "max" }), { seed, numRuns: 1 })[0] as Step[];
}

/** Carries out a sequence in a world of its own, up to the first promise that is broken. */
export async function runSequence(
  seed: number,
  length: [number, number],
  log: (line: string) => void,
): Promise<Outcome> {
  const steps = stepsOf(seed, length);
  const world = await World.create();
  const outcome: Outcome = { seed, steps, done: 0, broken: [] };
  try {
    for (const { operation, pick } of steps) {
      log(`  ${operation} (${pick})`);
      const { run }: Operation = OPERATIONS[operation];
      await run(world, pick).catch((error: Error) => outcome.broken.push(`${operation}: ${error.message}`));
      outcome.broken.push(...(await world.brokenPromises()).map((what) => `after ${operation}: ${what}`));
      if (outcome.broken.length > 0) break;
      outcome.done++;
    }
  } finally {
    await world.end();
  }
  return outcome;
}
