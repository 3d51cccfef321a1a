import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readOnly } from "../../src/host/read-only";
import { VERIFICATION } from "../../src/verify/checks";
import { runChecks } from "../../src/verify/run";
import type { ZotConfig } from "../../src/zot/types";
import { BINARY_NAME, World } from "./world";

/** What a registry may be when it is verified. With dedupe, zot's default, blobs are known across repositories. */
const STATES: Record<string, (config: ZotConfig) => void> = {
  hardened: ({ storage }) => {
    storage.dedupe = true;
  },
  open: ({ storage, http }) => {
    storage.dedupe = true;
    delete http.auth;
    delete http.accessControl;
  },
  readOnly: (config) => {
    config.storage.dedupe = true;
    const closed = readOnly(config);
    config.http = (closed as ZotConfig).http;
  },
  withoutDedupe: () => {},
};

/** Every state comes right after every other one. */
const TOUR = [
  ...["hardened", "open", "hardened", "readOnly", "open", "readOnly", "hardened", "withoutDedupe"],
  ...["open", "withoutDedupe", "readOnly", "withoutDedupe", "hardened"],
];

describe(`what a verification leaves behind changes no later answer (${BINARY_NAME})`, () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  it("has every state after every other in its tour", () => {
    const steps = new Set(TOUR.slice(1).map((state, index) => `${TOUR[index]} ${state}`));
    const pairs = Object.keys(STATES).flatMap((one) =>
      Object.keys(STATES).flatMap((other) => (one === other ? [] : [`${one} ${other}`])),
    );
    expect(pairs.filter((pair) => !steps.has(pair))).toEqual([]);
  });

  it("gives each state the same answers, whatever was verified before it", async () => {
    const first = new Map<string, Record<string, string>>();
    for (const [index, state] of TOUR.entries()) {
      await world.restart(STATES[state] as (config: ZotConfig) => void);
      const results = await runChecks(VERIFICATION, world.target);
      const outcomes = Object.fromEntries(results.map(({ id, outcome }) => [id, outcome]));
      if (!first.has(state)) first.set(state, outcomes);
      expect(outcomes, `${TOUR[index - 1] ?? "nothing"}, then ${state}`).toEqual(first.get(state));
    }
    const failedIn = (state: string) => Object.entries(first.get(state) ?? {}).filter(([, one]) => one === "failed");
    expect(failedIn("hardened")).toEqual([]);
    expect(failedIn("withoutDedupe")).toEqual([]);
    expect(first.get("withoutDedupe")?.["head-creates"]).toBe("ok");
  });
});
