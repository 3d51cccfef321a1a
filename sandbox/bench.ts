import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import Table from "cli-table3";
import { startSandbox } from "./sandbox";
import { Stack, type StackOptions } from "./stack";

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

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

async function seconds(run: () => Promise<{ code: number; output: string }>): Promise<number> {
  const started = process.hrtime.bigint();
  const { code, output } = await run();
  if (code !== 0) throw new Error(output);
  return Number(process.hrtime.bigint() - started) / 1e9;
}

/** In turn, run by run, so that a change in the machine's speed meets all of them alike. */
async function measure(stacks: [string, Stack][]): Promise<Map<string, { preview: number; up: number }>> {
  const times = stacks.map(([name, stack]) => ({ name, stack, preview: [] as number[], up: [] as number[] }));
  for (let run = 0; run <= RUNS; run++) {
    for (const { stack, preview, up } of times) {
      const previewed = await seconds(() => stack.preview());
      const upped = await seconds(() => stack.up());
      if (run > 0) preview.push(previewed) && up.push(upped);
    }
  }
  return new Map(times.map(({ name, preview, up }) => [name, { preview: median(preview), up: median(up) }]));
}

async function bench(): Promise<void> {
  const sandbox = await startSandbox((line) => console.log(line));
  try {
    const first = await sandbox.stack.up();
    if (first.code !== 0) throw new Error(first.output);
    const options: StackOptions = sandbox.stackOptions;
    const empty = async (name: string, runtime: string): Promise<[string, Stack]> => {
      const project = emptyProgram(sandbox.directory, name, runtime);
      const stack = new Stack({ ...options, project, directory: join(project, "state") });
      await stack.create({});
      return [name, stack];
    };
    const stacks: [string, Stack][] = [
      ["this program, no change", sandbox.stack],
      await empty("empty", ""),
      await empty("empty-same-loader", LOADER),
    ];
    const results = await measure(stacks);
    const base = results.get("empty") as { preview: number; up: number };
    const table = new Table({
      head: ["program", "preview", "up", "preview / empty", "up / empty"],
      style: { head: [], border: [] },
    });
    for (const [name, { preview, up }] of results) {
      table.push([
        name,
        `${preview.toFixed(2)} s`,
        `${up.toFixed(2)} s`,
        (preview / base.preview).toFixed(2),
        (up / base.up).toFixed(2),
      ]);
    }
    console.log(
      `\nmedian of ${RUNS} runs each, in turn; parts: ${sandbox.parts.map(({ name, kind }) => `${name} ${kind}`).join(", ")}`,
    );
    console.log(table.toString());
  } finally {
    await sandbox.stop();
  }
}

bench().then(
  () => process.exit(0),
  (error: Error) => {
    console.error(`bench: ${error.message}`);
    process.exit(1);
  },
);
