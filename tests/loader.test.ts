import { execFileSync, spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const PROJECT = resolve(__dirname, "..");

/** Whether a program run as ours are has loaded what the loader postpones. */
function loadedBy(program: string): { typescript: boolean; arborist: boolean; result: unknown } {
  const script = `
    (async () => {
      const pulumi = require("@pulumi/pulumi");
      const result = await (${program})(pulumi);
      const loaded = (name) => Object.keys(require.cache).some((file) => file.includes("/node_modules/" + name + "/"));
      console.log(JSON.stringify({ typescript: loaded("typescript"), arborist: loaded("@npmcli/arborist"), result }));
    })()`;
  const printed = execFileSync("node", ["--require", "./loader.js", "--eval", script], {
    cwd: PROJECT,
    encoding: "utf8",
  });
  return JSON.parse(printed);
}

it("spares a program what Pulumi only needs to serialize functions", () => {
  const { typescript, arborist } = loadedBy("() => 0");
  expect({ typescript, arborist }).toEqual({ typescript: false, arborist: false });
});

it("still lets functions be serialized", () => {
  const { result, ...loaded } = loadedBy(
    "async ({ runtime }) => [(await runtime.serializeFunction(() => 7)).text, (await runtime.computeCodePaths()).size]",
  );
  expect(loaded).toEqual({ typescript: true, arborist: true });
  expect(result).toEqual([expect.stringContaining("7"), expect.any(Number)]);
});

it("takes the lines on which Node 20 hangs out of what Pulumi prints, and keeps ours", () => {
  const script = `
    require("source-map-support/register");
    process.on("unhandledRejection", (error) => console.log(require("node:util").inspect(error, { colors: true })));
    const error = new Error("bug");
    error.stack = "Error: bug\\n    at plan (/p/src/plan.ts:1:1)\\n    at run (/p/node_modules/@pulumi/stack.ts:2:2)";
    Promise.reject(error);`;
  const words = ["--require", "./loader.js", "--eval", script];
  const printed = execFileSync("node", words, { cwd: PROJECT, encoding: "utf8", timeout: 20_000 });
  expect(printed).toBe("Error: bug\n    at plan (/p/src/plan.ts:1:1)\n");
});

it("leaves the stack of every other program's error alone", () => {
  const { stderr } = spawnSync("node", ["--require", "./loader.js", "--eval", 'throw new Error("bug")'], {
    cwd: PROJECT,
    encoding: "utf8",
  });
  expect(stderr).toMatch(/Error: bug\n {4}at \[eval\]:1/);
});
