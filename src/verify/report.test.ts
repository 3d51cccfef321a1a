import { expect, it } from "vitest";
import { renderLine, reportOn } from "./report";

it("one line names the checks that failed", () => {
  const check = { title: "", expected: "", seen: "", milliseconds: 1 };
  const results = [
    { ...check, id: "ready", outcome: "ok" as const },
    { ...check, id: "push", outcome: "failed" as const },
    { ...check, id: "delete", outcome: "failed" as const },
  ];
  expect(renderLine(reportOn("https://r.example", false, results, 1))).toBe(
    "zot FAILED: https://r.example: 1 ok, 2 failed (push, delete), 0 warnings, 0 skipped",
  );
});
