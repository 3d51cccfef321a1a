import { expect, it } from "vitest";
import { manyOf } from "../../sandbox/many-identities";
import { accessSummary, accessTable, WHATS } from "./table";

it("says in short what everybody with a rule may do, and leaves out only who has none", () => {
  const many = manyOf(20);
  const summary = accessSummary(...many);
  expect(Object.keys(summary)).toHaveLength(21);
  expect(summary["team3/**"]).toEqual({
    anonymous: "pull",
    "everyone logged in": "pull",
    "ci-3": "pull, push",
    "group group-3": "pull, push",
    "group admins": "pull, push, delete",
  });
  for (const { where, who, cells } of accessTable(...many).rows) {
    const may = WHATS.filter((what) => cells[what].may !== "no").join(", ");
    expect(summary[where]?.[who.label] ?? summary[where]?.["everyone logged in"]).toBe(may);
  }
});

it("gives anonymous nothing anywhere in a registry that is closed to them, and says by what", () => {
  const rows = accessTable(...manyOf(3, [])).rows.filter(({ who }) => who.label === "anonymous");
  expect(rows.map(({ cells }) => cells.pull)).toEqual(rows.map(() => ({ may: "no", rule: "http.auth" })));
});
