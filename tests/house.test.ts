import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, it } from "vitest";

/** Which rooms may never import which: by how a path begins. */
const NEVER: [from: RegExp, to: RegExp][] = [
  [/^(src|sandbox|bench|tools|bin)\//, /^tests\//],
  [/^(src|sandbox|bin)\//, /^(bench|tools)\//],
  // What stands in for zot knows what zot itself does, and nothing of what we make of it.
  [/^sandbox\/zot\//, /^src\/(?!zot\/)/],
  [/^src\/zot\/(?!.*\.test\.ts$)/, /^src\/(?!zot\/)/],
  [/^src\/settings\//, /^src\/config\//],
];

it("no room imports what it may not", () => {
  const files = execFileSync("git", ["ls-files", "*.ts"], { encoding: "utf8" }).trim().split("\n");
  const arrows = files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/(?:from|import|import\() ?"(\.[^"]+)"/g)].map(([, to = ""]) => {
      return [file, normalize(join(dirname(file), to))] as const;
    }),
  );
  expect(arrows.length).toBeGreaterThan(1000);
  const wrong = arrows.filter(([from, to]) => NEVER.some(([those, these]) => those.test(from) && these.test(to)));
  expect(wrong).toEqual([]);
});
