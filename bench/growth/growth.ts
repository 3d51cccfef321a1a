import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { findZot, type Part } from "../../sandbox/parts";
import { renderConfig, serializeConfig } from "../../src/config/render";
import { benchmark, conditions, markdownTable } from "../benchmark";
import { settingsOf } from "./input";
import { costOf } from "./processes";
import { PURE_STEPS } from "./pure";
import { growth, type Point, type Series, TOLERANCE } from "./series";
import { HOST_RUNS, hostRuns, identityRuns } from "./stacks";

const SIZES = [1, 10, 100, 300, 1000, 3000];
const sizes = (variable: string, otherwise: string) => (process.env[variable] ?? otherwise).split(/[ ,]+/).map(Number);
const PREVIEWS = sizes("PREVIEWS", "1 10 100 300 1000");
const IDENTITIES = sizes("IDENTITIES", "1 10 30 100");
const HOSTS = sizes("HOSTS", "1 3 10 30");
const AXES = ["identities", "patterns"] as const;
/** The least of so many counts: what else the machine does only adds. */
const TRIES = 3;

benchmark("Growth", async () => {
  // Every host is ended with this process, by a listener of its own.
  process.setMaxListeners(2 * Math.max(...HOSTS) + 20);
  const log = (line: string) => console.error(line);
  const zot = findZot();
  const series: Series[] = [];
  for (const axis of AXES) {
    for (const step of PURE_STEPS) {
      series.push(await pure(step, axis));
      log(`${step}, by ${axis}`);
    }
  }
  series.push(await verified(zot));
  const stacks = await identityRuns(PREVIEWS, IDENTITIES, log);
  series.push(...stacks.series);
  const { table, byRun } = await hosts(log);
  series.push(...byRun);

  console.log(conditions(stacks.parts));
  console.log(report(series));
  console.log(table);
  const worse = series.filter((one) => (growth(one) ?? 0) > TOLERANCE);
  for (const { axis, step } of worse) console.error(`worse than linear: ${step}, by ${axis}`);
  process.exitCode = worse.length > 0 ? 1 : 0;
});

async function pure(step: string, axis: (typeof AXES)[number]): Promise<Series> {
  const loader = resolve(__dirname, "../../loader.js");
  const measure = async (n: number): Promise<Point> => {
    const args = ["--require", loader, join(__dirname, "pure.ts"), step, axis, String(n)];
    return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout);
  };
  return { step, axis, points: await pointsOf(measure) };
}

/** `zot verify` of the configuration of so many patterns. */
async function verified({ where }: Part): Promise<Series> {
  const directory = mkdtempSync(join(tmpdir(), "growth-"));
  const file = join(directory, "config.json");
  const references = {
    issuer: "http://127.0.0.1:1/",
    credentialsFile: join(directory, "credentials.json"),
    sessionKeysFile: join(directory, "session-keys.json"),
  };
  writeFileSync(references.credentialsFile, '{ "clientid": "zot", "clientsecret": "none" }');
  writeFileSync(references.sessionKeysFile, JSON.stringify({ hashKey: "x".repeat(32) }));
  try {
    const measure = (n: number): Promise<Point> => {
      writeFileSync(file, serializeConfig(renderConfig(settingsOf("patterns", n), references)));
      return costOf(n, async () => ({ code: 0, output: (await promisify(execFile)(where, ["verify", file])).stdout }));
    };
    return { step: "zot verify", axis: "patterns", points: await pointsOf(measure) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function pointsOf(measure: (n: number) => Promise<Point>): Promise<Point[]> {
  const points: Point[] = [];
  for (const n of SIZES) {
    const tries: Point[] = [];
    while (tries.length < TRIES) tries.push(await measure(n));
    points.push(tries.reduce((least, one) => (one.cpu < least.cpu ? one : least)));
  }
  return points;
}

async function hosts(log: (line: string) => void): Promise<{ table: string; byRun: Series[] }> {
  const byRun = HOST_RUNS.map((step): Series => ({ step, axis: "hosts", points: [] }));
  const rows: string[][] = [];
  for (const n of HOSTS) {
    const runs = await hostRuns(n);
    for (const [index, run] of runs.entries()) byRun[index]?.points.push(run);
    const cells = runs.flatMap(({ wall, connections: [fewest, most] }) => {
      return [`${wall.toFixed(1)} s`, fewest === most ? String(most) : `${fewest}-${most}`];
    });
    rows.push([String(n), ...cells]);
    log(`${n} hosts: ${cells.join(", ")}`);
  }
  return { table: markdownTable(["hosts", ...HOST_RUNS.flatMap((run) => [run, "SSH a host"])], rows), byRun };
}

/** 0.0092, 0.12, 3.4, 116 */
const seconds = (value: number) => (value < 100 ? value.toPrecision(2) : value.toFixed(0));

function report(all: Series[]): string {
  const rows = all.map((one) => {
    const each = (value: (point: Point) => string) => one.points.map(value).join(" / ");
    return [
      one.step,
      `${each(({ n }) => n.toLocaleString("en"))} ${one.axis}`,
      each(({ cpu }) => seconds(cpu)),
      each(({ engine }) => (engine === undefined ? "-" : seconds(engine))),
      each(({ wall }) => seconds(wall)),
      each(({ memory }) => memory?.toFixed(0) ?? "-"),
      growth(one)?.toFixed(1) ?? "-",
    ];
  });
  return markdownTable(
    ["step", "n", "CPU, s", "of it Pulumi's engine", "by the clock, s", "peak memory, MB", "last tenfold of the rest"],
    rows,
  );
}
