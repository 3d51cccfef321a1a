import { expect, it } from "vitest";
import { runSequence, stepsOf } from "../../bench/operations/sequence";

it("a seed always stands for the same steps", () => {
  expect(stepsOf(7, [6, 12])).toEqual(stepsOf(7, [6, 12]));
  expect(stepsOf(7, [6, 12])).not.toEqual(stepsOf(8, [6, 12]));
});

/** `make operations` runs hundreds, of 6 to 12 steps. */
it.each([1])("no promise is broken by what operators do, seed %i", async (seed) => {
  const { broken } = await runSequence(seed, [2, 3], () => {});
  expect(broken).toEqual([]);
});
