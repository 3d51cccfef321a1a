import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import Table from "cli-table3";

/**
 * `make mutants`, or `make mutants ROOM=src/review`: changes one thing at a time in the rooms that start nothing, runs the unit
 * tests that reach it, and prints by room how many changes they noticed (Stryker). ROOM is a directory, or files with commas between.
 */

const ROOMS = ["src/zot", "src/config", "src/review", "src/settings"];
const FILES = ["labels", "rotation", "handover"].map((name) => `src/credentials/${name}.ts`);
const REPORT = "node_modules/.cache/stryker/report.json";

/** As Stryker's report has them (mutation-testing-report-schema 2). */
interface Report {
  files: Record<string, { mutants: { status: string }[] }>;
}

const NOTICED = ["Killed", "Timeout"];
const MISSED = ["Survived", "NoCoverage"];

function main(room: string | undefined): void {
  const chosen = room === undefined ? [...ROOMS, ...FILES] : [room];
  const mutate = [...chosen.map((one) => (one.endsWith(".ts") ? one : `${one}/**/*.ts`)), "!src/**/*.test.ts"];
  const { status } = spawnSync(
    "npx",
    ["stryker", "run", "tools/mutants/stryker.config.json", "--mutate", mutate.join(",")],
    {
      stdio: "inherit",
    },
  );
  process.exitCode = status ?? 1;
  if (status === 0) console.log(`\n${scores(JSON.parse(readFileSync(REPORT, "utf8")))}`);
}

/** One line for each room. What does not compile, or is left out by a comment that says why, counts for nothing. */
function scores({ files }: Report): string {
  const rooms = new Map<string, string[]>();
  for (const [file, { mutants }] of Object.entries(files)) {
    rooms.set(dirname(file), [...(rooms.get(dirname(file)) ?? []), ...mutants.map(({ status }) => status)]);
  }
  const table = new Table({ head: ["room", "mutants", "noticed", "score"], style: { head: [], border: [] } });
  for (const [room, statuses] of [...rooms].sort()) {
    const count = (kinds: string[]) => statuses.filter((status) => kinds.includes(status)).length;
    const [noticed, all] = [count(NOTICED), count([...NOTICED, ...MISSED])];
    if (all > 0) table.push([room, all, noticed, `${((100 * noticed) / all).toFixed(1)} %`]);
  }
  return table.toString();
}

main(process.argv[2]);
