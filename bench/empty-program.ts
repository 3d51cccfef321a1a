import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { startSandbox } from "../sandbox/sandbox";
import { Stack, type StackOptions } from "../sandbox/stack";
import { benchmark, conditions, markdownTable, median, secondsOf } from "./benchmark";
import { LOGGED, phasesOf, phasesTable } from "./phases";

const EMPTY = "an empty TypeScript program";

/** Counted runs of each command, after one that is not counted. */
const RUNS = 5;

const LOADER = `\n  options: { typescript: false, nodeargs: --require ${resolve(__dirname, "../loader.js")} }`;

/** A Pulumi TypeScript program that declares nothing, as `pulumi new typescript` lays it but for its one export. */
function emptyProgram(directory: string, name: string, options: string): string {
  const project = join(directory, name);
  mkdirSync(join(project, "state"), { recursive: true });
  writeFileSync(join(project, "Pulumi.yaml"), `name: ${name}\nruntime:\n  name: nodejs${options}\nmain: index.ts\n`);
  writeFileSync(join(project, "package.json"), `{ "name": "${name}", "main": "index.ts" }\n`);
  writeFileSync(join(project, "tsconfig.json"), '{ "compilerOptions": { "strict": true, "module": "nodenext" } }\n');
  writeFileSync(
    join(project, "index.ts"),
    'import * as pulumi from "@pulumi/pulumi";\nexport const stack = pulumi.getStack();\n',
  );
  symlinkSync(resolve(__dirname, "../node_modules"), join(project, "node_modules"));
  return project;
}

interface Measured {
  preview: number[];
  up: number[];
  /** Of another preview, which logs what it does. */
  phases: number[][];
}

/** In turn, run by run, so that a change in the machine's speed meets all of them alike. */
async function measure(stacks: Map<string, Stack>): Promise<Map<string, Measured>> {
  const all = new Map(
    [...stacks.keys()].map((name): [string, Measured] => [name, { preview: [], up: [], phases: [] }]),
  );
  for (let run = 0; run <= RUNS; run++) {
    for (const [name, stack] of stacks) {
      const preview = await secondsOf(() => stack.preview());
      const up = await secondsOf(() => stack.up());
      const phases = await phasesOf(() => stack.preview(...LOGGED));
      if (run === 0) continue;
      const measured = all.get(name) as Measured;
      measured.preview.push(preview);
      measured.up.push(up);
      measured.phases.push(phases);
    }
  }
  return all;
}

function ratiosTable(all: Map<string, Measured>): string {
  const times = [...all].map(([name, { preview, up }]) => ({ name, preview: median(preview), up: median(up) }));
  const base = times.find(({ name }) => name === EMPTY) as (typeof times)[number];
  const rows = times.map(({ name, preview, up }) => [
    name,
    `${preview.toFixed(2)} s`,
    `${up.toFixed(2)} s`,
    (preview / base.preview).toFixed(2),
    (up / base.up).toFixed(2),
  ]);
  return markdownTable(["program", "preview", "up", "preview / empty", "up / empty"], rows);
}

benchmark("Preview and up without a change", async () => {
  const sandbox = await startSandbox((line) => console.log(line));
  try {
    await secondsOf(() => sandbox.stack.up());
    const options: StackOptions = sandbox.stackOptions;
    const empty = async (name: string, runtime: string): Promise<[string, Stack]> => {
      const project = emptyProgram(sandbox.directory, runtime ? "empty-same-loader" : "empty", runtime);
      const stack = new Stack({ ...options, project, directory: join(project, "state") });
      await stack.create({});
      return [name, stack];
    };
    const stacks = new Map([
      ["this program, no change", sandbox.stack],
      await empty(EMPTY, ""),
      await empty("empty, with this project's loader", LOADER),
    ]);
    const measured = await measure(stacks);
    console.log(`${conditions(sandbox.parts)}; median of ${RUNS} runs each, in turn`);
    console.log(ratiosTable(measured));
    console.log(phasesTable(new Map([...measured].map(([name, { phases }]) => [name, phases]))));
  } finally {
    await sandbox.stop();
  }
});
