import { expect, it } from "vitest";
import { compileAccess } from "../config/compile";
import { accessSettings, ciSettings } from "../settings/access";
import type { ZotConfig } from "../zot/types";
import { accessSummary, accessTable, renderTable, WHATS } from "./table";

/** So many identities, each in a group and with a namespace of its own. */
function manyOf(size: number, anonymous: "read"[] = ["read"]) {
  const rules = {
    access: accessSettings.parse({ anonymous, admins: { group: "admins" } }),
    ci: ciSettings.parse(
      Array.from({ length: size }, (_, index) => ({
        name: `ci-${index}`,
        group: `group-${index}`,
        repositories: [`team${index}/**`],
      })),
    ),
    registry: { version: "2.1.20", metrics: "off" as const, pullThrough: [] },
  };
  const config = { http: { auth: { apikey: true }, accessControl: compileAccess(rules) } } as ZotConfig;
  return [config, rules] as const;
}

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
