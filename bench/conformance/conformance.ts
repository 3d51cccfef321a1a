import { benchmark, conditions, markdownTable } from "../benchmark";
import { complaints, REASONS_HEAD, RUNS_HEAD, reasonRows, runRows } from "./report";
import { runSideBySide } from "./side-by-side";
import { suiteVersion } from "./suite";

benchmark("The OCI conformance suite, on an open registry and on a hardened one", async () => {
  const { parts, runs } = await runSideBySide((line) => console.error(`  ${line}`));
  console.log(conditions([...parts, { name: "OCI conformance suite", kind: "real", version: suiteVersion() }]));
  console.log(markdownTable(RUNS_HEAD, runRows(runs)));
  console.log(markdownTable(REASONS_HEAD, reasonRows(runs)));
  const wrong = complaints(runs);
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) throw new Error(`${wrong.length} outcomes are not as bench/conformance/runs.ts says`);
  console.log("Every difference is explained.");
});
