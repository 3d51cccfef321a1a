import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { exponent, type Series, TOLERANCE } from "./fit";
import { plot } from "./plot";
import { costOf } from "./processes";

const series = (cpu: (n: number) => number, sizes = [1, 10, 100, 300, 1000]): Series => ({
  step: "a <step>",
  axis: "patterns",
  points: sizes.map((n) => ({ n, cpu: cpu(n), wall: cpu(n) })),
});

it.each<[string, (n: number) => number, number]>([
  ["linear", (n) => 0.002 * n, 1],
  ["linear, above what is always there", (n) => 3 + 0.002 * n, 1],
  ["n log n", (n) => 0.001 * n * Math.log(n), 1.19],
  ["a square", (n) => 1 + 1e-5 * n * n, 2],
  ["a square that is small beside what is linear at first", (n) => 0.001 * n + 1e-5 * n * n, 1.74],
  ["a root", (n) => 0.1 * Math.sqrt(n), 0.53],
])("the exponent of %s is found", (_, cpu, k) => {
  expect(exponent(series(cpu))).toBeCloseTo(k, 1);
  expect((exponent(series(cpu)) as number) > TOLERANCE).toBe(k > 1.5);
});

it("what the engine takes is not counted", () => {
  const { points, ...rest } = series((n) => 3 + 0.002 * n);
  const written = points.map((point) => ({
    ...point,
    cpu: point.cpu + 1e-5 * point.n ** 2,
    engine: 1e-5 * point.n ** 2,
  }));
  expect(exponent({ ...rest, points: written })).toBeCloseTo(1, 1);
});

it("noise has no exponent", () => {
  expect(exponent(series((n) => 1 + (n === 300 ? 0.01 : 0)))).toBeUndefined();
});

it("the plot has every step with its exponent, a point for every size, and nothing outside of the picture", () => {
  const svg = plot([series((n) => 0.002 * n), { ...series((n) => 5 + n, [1, 3, 10, 30]), axis: "hosts" }], "a & b");
  expect(svg.match(/<circle/g)).toHaveLength(9);
  expect(svg).toContain("a &lt;step>: n^1.00");
  expect(svg).toContain("a &amp; b");
  const [, width = 0, height = 0] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)?.map(Number) ?? [];
  const numbers = (name: string) =>
    [...svg.matchAll(new RegExp(` ${name}="(-?[\\d.]+)"`, "g"))].map(([, value]) => Number(value));
  expect(Math.max(...numbers("cx"), ...numbers("x2"))).toBeLessThanOrEqual(width / 2);
  expect(Math.max(...numbers("cy"), ...numbers("y2"))).toBeLessThanOrEqual(height);
  expect(Math.min(...numbers("cx"), ...numbers("cy"))).toBeGreaterThanOrEqual(0);
});

it("counts the CPU of a command and of what that starts, and the memory it holds at once", async () => {
  const burn =
    "const end = Date.now() + 600; const held = Buffer.alloc(80 << 20, 1); while (Date.now() < end) held[0]++;";
  const script = `require("child_process").spawnSync(process.execPath, ["-e", ${JSON.stringify(burn)}])`;
  const run = () =>
    new Promise<{ code: number; output: string }>((settle) => {
      execFile(process.execPath, ["-e", script], (error) => settle({ code: error ? 1 : 0, output: "" }));
    });
  const { cpu, wall, memory } = await costOf(1, run);
  // Others may have the processor meanwhile.
  expect(cpu).toBeGreaterThan(0.1);
  expect(cpu).toBeLessThan(wall * 2);
  expect(memory).toBeGreaterThan(100);
  const idle = await costOf(1, async () => {
    await sleep(300);
    return { code: 0, output: "" };
  });
  expect(idle).toMatchObject({ cpu: 0 });
  await expect(costOf(1, async () => ({ code: 1, output: "refused" }))).rejects.toThrow("refused");
});
