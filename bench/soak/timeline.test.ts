import { describe, expect, it } from "vitest";
import { type Change, overtaken, timeline } from "./timeline";

const ALL: Change[] = ["rule change", "rotation", "issuer outage", "service restart", "host reboot"];

describe("the timeline of a soak", () => {
  const times = (seconds: number, change: Change) =>
    timeline(seconds)
      .changes.filter((planned) => planned.change === change)
      .map(({ at }) => at);

  it("changes a rule every 20 s and a key every 60 s, and has one outage and two restarts", () => {
    expect(times(1800, "rule change").slice(0, 3)).toEqual([20, 40, 60]);
    expect(times(1800, "rotation").slice(0, 3)).toEqual([50, 110, 170]);
    expect(ALL.map((change) => times(1800, change).length)).toEqual([89, 30, 1, 1, 1]);
  });

  it.each([60, 90, 300, 1800])("leaves nothing out of %i s, and plans nothing after their end", (seconds) => {
    const { changes } = timeline(seconds);
    for (const change of ALL) expect(times(seconds, change)).not.toEqual([]);
    expect(times(seconds, "rotation").length).toBeGreaterThan(1);
    expect(changes.every(({ at }) => at > 0 && at < seconds)).toBe(true);
    expect(changes).toEqual(changes.toSorted((a, b) => a.at - b.at));
  });

  it("leaves out a change whose successor is due as well, and never the last of its kind", () => {
    const { changes } = timeline(60);
    const indices = (change: Change) => changes.flatMap((one, index) => (one.change === change ? [index] : []));
    const rules = indices("rule change");
    expect(rules.map((index) => overtaken(changes, index, 25))).toEqual([true, false, false, false]);
    for (const change of ALL) expect(overtaken(changes, indices(change).at(-1) as number, 1000)).toBe(false);
  });
});
