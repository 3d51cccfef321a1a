import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PowerBench } from "../../bench/power/bench";
import { cutPower } from "../../bench/power/cuts";
import { DATA_FATES, FileSystem } from "../../bench/power/file-system";
import { BREACHES, lost } from "../../bench/power/judge";
import { POWER_OPERATIONS } from "../../bench/power/operations";
import { judgeState } from "../../bench/power/power";
import { type Cut, nameOf, statesOf, treeAfter } from "../../bench/power/states";
import { straceMissing } from "../../bench/power/strace";
import { difference } from "../../bench/power/tree";

const NOTHING_BROKEN = Object.fromEntries(BREACHES.map((breach) => [breach, 0]));
const missing = straceMissing();

describe.skipIf(missing)(`system calls${missing ? ` (${missing})` : ""}`, () => {
  let bench: PowerBench;
  beforeAll(async () => {
    bench = await PowerBench.start();
  });
  afterAll(() => bench.stop());

  /** The worst that can be found once the last answer is given. */
  const worst = (at: number): Cut[] =>
    DATA_FATES.flatMap((data) => (["all", "first 0"] as const).map((names) => ({ calls: at, names, data, seed: 1 })));

  it.each(POWER_OPERATIONS)(
    "$name: what was answered for outlives a power cut, and so does the registry",
    async (operation) => {
      const recording = await bench.record(operation);
      const fileSystem = new FileSystem(recording.before);
      for (const call of recording.calls) fileSystem.apply(call);
      // The record is complete: played, it gives what lies there.
      expect(difference(fileSystem.now(), bench.tree())).toBeUndefined();
      for (const { calls, tree } of recording.answered) {
        for (const cut of worst(calls)) expect([cut, lost(tree, treeAfter(recording, cut))]).toEqual([cut, undefined]);
      }
      // A sample of what may be found at any other moment; `make power` tries thousands.
      for (const state of statesOf(recording, 7, 2)) {
        const { findings } = await judgeState(bench, operation, recording, state);
        expect([nameOf(state.cut), findings]).toEqual([nameOf(state.cut), []]);
      }
    },
  );
});

it("survives real power cuts on ext4 and xfs", async (context) => {
  const report = await cutPower({ cuts: 2 }).catch((error: Error) => context.skip(error.message));
  expect(report).toMatchObject({ findings: [], breaches: NOTHING_BROKEN, states: { ext4: 2, xfs: 2 } });
});
