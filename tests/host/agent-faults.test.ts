import { expect, it } from "vitest";
import { runFaults } from "../../bench/faults/main";
import { FAULTS, lasts } from "../../bench/faults/shims";

// A sample, over all operations and kinds of fault; `make faults` has them all.
it("leaves a whole registry after a fault at any step", { timeout: 300_000 }, async () => {
  const report = await runFaults({ every: 97, workers: 2 });
  expect(report).toMatchObject({ findings: [], outages: 0, halfStates: 0 });
  for (const fault of FAULTS.filter((kind) => !lasts(kind)))
    expect([fault, report.injected[fault]]).not.toEqual([fault, 0]);
  // What must be able to go wrong is on the list of steps.
  for (const [operation, step] of [
    ["restart", /^mv .*\/new\.json .*\/config\.json$/],
    ["restart", /^sh .* stop$/],
    ["restart", /^mv .*\/switch .*\/commit$/],
    ["reload", /^dd .*conv=notrunc$/],
    ["first hardening", /^mv .*\/original\.json /],
    ["put-secret", /^mv .*oidc-credentials\.\d+ .*oidc-credentials-\w{12}\.json$/],
    ["restore", /^rm -rf .*\/secrets /],
  ] as const) {
    expect(report.steps[operation]).toContainEqual(expect.stringMatching(step));
  }
});
