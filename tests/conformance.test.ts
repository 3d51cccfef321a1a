import { beforeAll, describe, expect, it } from "vitest";
import { differences, explain, parseOutcomes, type Test } from "../bench/conformance/outcomes";
import { complaints } from "../bench/conformance/report";
import { type ReportedRun, runSideBySide } from "../bench/conformance/side-by-side";

describe("two runs of the OCI conformance suite side by side", () => {
  const test = (name: string, outcome: Test["outcome"], error = ""): Test => ({ name, outcome, error });

  it("differ where a test ended otherwise, with other words, or not at all, whatever the order of its namesakes", () => {
    const open = [test("a", "Pass"), test("a", "FAIL", "x"), test("b", "FAIL", "404"), test("c", "Pass")];
    const same = [open[1], open[0], open[2], open[3]] as Test[];
    expect(differences(same, open)).toEqual([]);
    const here = [test("a", "FAIL", "x"), test("a", "FAIL", "y"), test("b", "FAIL", "403"), test("d", "Pass")];
    expect(differences(here, open)).toEqual([
      { name: "a", open: "Pass", here: "FAIL", error: "y" },
      { name: "b", open: "FAIL", here: "FAIL", error: "403" },
      { name: "c", open: "Pass", here: "absent", error: "" },
      { name: "d", open: "absent", here: "Pass", error: "" },
    ]);
  });

  it("need an explanation of each difference, and no other", () => {
    const found = differences([test("a/push", "FAIL", "received 403"), test("b/push", "FAIL", "received 500")]);
    const refused = { tests: /push$/, here: "FAIL", error: /403$/, because: "may not" } as const;
    const never = { tests: /delete$/, here: "FAIL", because: "of nothing" } as const;
    const { explained, stale, unexplained } = explain(found, [refused, never]);
    expect(explained).toEqual([{ because: "may not", differences: [expect.objectContaining({ name: "a/push" })] }]);
    expect(unexplained).toEqual([expect.objectContaining({ name: "b/push" })]);
    expect(stale).toEqual([never]);
  });

  it("are refused when the suite tested nothing, or its totals are of something else", () => {
    expect(() => parseOutcomes("", "failed to load config: OCI_VERSION")).toThrow(
      /tested nothing: failed to load config/,
    );
    const printed = (failed: number) =>
      `Test results\nOCI Conformance Test: FAIL\n  OCI Conformance Test/ping: Pass\n  OCI Conformance Test/a: FAIL\n   - no\n     never\n\nConfiguration:\n  x: y\n\nOCI Conformance Result: FAIL\n  Pass....: 1\n  FAIL....: ${failed}\n  Error...: 0\n`;
    expect(parseOutcomes(printed(1), "").tests).toEqual([test("ping", "Pass"), test("a", "FAIL", "no never")]);
    expect(() => parseOutcomes(printed(0), "")).toThrow(/counts 0 tests as FAIL, and lists 1/);
  });
});

describe(`the OCI conformance suite on ${process.env.ZOT ? "the real zot" : "the zot stand-in"}, open and hardened`, () => {
  let runs: ReportedRun[];
  const passed = (as: ReportedRun["as"], mode: ReportedRun["mode"]) => {
    const { totals } = (runs.find((run) => run.as === as && run.mode === mode) as ReportedRun).result;
    return [totals.Pass, totals.FAIL, totals.Skip, totals.Disabled];
  };

  beforeAll(async () => {
    runs = (await runSideBySide(() => {})).runs;
  });

  it("ends otherwise only where our rules want it", () => {
    expect(complaints(runs)).toEqual([]);
  });

  it("has the outcomes of zot 2.1.20 (docs/conformance.md)", () => {
    expect(passed("open", "everything")).toEqual([856, 4, 0, 2]);
    expect(passed("admin", "everything")).toEqual(passed("open", "everything"));
    expect(passed("maintainer", "no deletes")).toEqual([526, 0, 0, 169]);
    expect(passed("maintainer", "everything")).toEqual([526, 167, 167, 2]);
    expect(passed("publisher", "no deletes")).toEqual([514, 12, 0, 165]);
    expect(passed("ci", "no deletes")).toEqual([453, 73, 0, 150]);
    expect(passed("anonymous", "read only")).toEqual([102, 0, 0, 68]);
    expect(passed("anonymous", "everything")).toEqual([84, 783, 146, 2]);
  });
});
