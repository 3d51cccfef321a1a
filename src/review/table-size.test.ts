import { expect, it } from "vitest";
import { manyOf } from "../../sandbox/many-identities";
import { accessTable, renderTable } from "./table";

it("renders what hundreds of identities may do in hundreds of namespaces", () => {
  const table = accessTable(...manyOf(250));
  // Each as an account and as a group, the admins, anonymous and everyone; for each namespace and all others.
  expect(table.rows).toHaveLength(251 * (2 * 250 + 3));
  const lines = renderTable(table, "text").split("\n");
  expect(lines).toHaveLength(1 + table.rows.length);
  expect(lines.filter((line) => line.startsWith("team249/**") && line.includes("ci-249 "))).toEqual([
    expect.stringMatching(/ci-249 +yes +yes +no +no$/),
  ]);
  expect(lines.filter((line) => line.startsWith("team249/**") && line.includes("ci-7 "))).toEqual([
    expect.stringMatching(/ci-7 +yes +no +no +no$/),
  ]);
});
