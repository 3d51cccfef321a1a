import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACTIONS, type Action } from "../../bench/soak/judge";
import { summary } from "../../bench/soak/report";
import { type Soaked, soak } from "../../bench/soak/soak";
import type { Change } from "../../bench/soak/timeline";
import { type Sandbox, startSandbox } from "../../sandbox/sandbox";

const SECONDS = 60;

/** `make soak`, shortened (docs/benchmarks.md, Soak). */
describe("a minute of mixed load, with the Pulumi engine", () => {
  let sandbox: Sandbox;
  let soaked: Soaked;

  beforeAll(async () => {
    sandbox = await startSandbox(() => {});
    soaked = await soak(sandbox, SECONDS, () => {});
  });
  afterAll(() => sandbox?.stop());

  it("loses nothing, and every answer is explained", () => {
    expect(soaked.passed, summary(soaked)).toBe(true);
  });

  it("left nothing out", () => {
    const changes = new Set(soaked.recorder.phases.map(({ name }) => name));
    const every: Change[] = ["rule change", "rotation", "issuer outage", "service restart", "host reboot"];
    expect([...changes].sort()).toEqual(every.sort());
    const done = new Set(soaked.recorder.exchanges.map(({ action }) => action));
    // A key is retired by the second rotation; a slow machine comes to one alone.
    const actions = (Object.keys(ACTIONS) as Action[]).filter((action) => action !== "use a retired key");
    expect(actions.filter((action) => !done.has(action))).toEqual([]);
  });
});
