import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { costOf } from "./processes";
import { growth, type Series, TOLERANCE } from "./series";

const series = (cpu: (n: number) => number, sizes = [1, 10, 100, 300, 1000]): Series => ({
  step: "a step",
  axis: "patterns",
  points: sizes.map((n) => ({ n, cpu: 1e-5 * n ** 2 + cpu(n), engine: 1e-5 * n ** 2, wall: 0 })),
});

it.each<[string, (n: number) => number, number]>([
  ["linear", (n) => 0.002 * n, 10.1],
  ["linear, above what is always there", (n) => 1 + 0.002 * n, 10.1],
  ["n log n", (n) => 0.001 * n * Math.log(n), 15],
  ["a square", (n) => 0.5 + 1e-5 * n * n, 100],
  ["a square that is small beside what is linear at first", (n) => 0.001 * n + 1e-5 * n * n, 55.3],
  ["a root", (n) => 0.1 * Math.sqrt(n), 3.4],
])("growth of %s is found, without the engine's", (_, cpu, times) => {
  expect(growth(series(cpu))).toBeCloseTo(times, 1);
  expect((growth(series(cpu)) as number) > TOLERANCE).toBe(times > 20);
});

it("noise has no growth, nor has what was measured without a tenth of it", () => {
  expect(growth(series((n) => 0.01 + (n === 100 ? 0.019 : 0)))).toBeUndefined();
  expect(growth(series((n) => 3 + (n === 100 ? 0.29 : 0)))).toBeUndefined();
  expect(growth(series((n) => n, [1, 10, 30]))).toBeUndefined();
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
