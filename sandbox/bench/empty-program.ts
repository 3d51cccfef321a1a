import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { startSandbox } from "../sandbox";
import { Stack, type StackOptions } from "../stack";
import { benchmark, conditions, markdownTable, median, secondsOf } from "./benchmark";

/** Counted runs of each command, after one that is not counted. */
const RUNS = 5;

const LOADER = `\n  options: { typescript: false, nodeargs: --require ${resolve(__dirname, "../../loader.js")} }`;

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
  symlinkSync(resolve(__dirname, "../../node_modules"), join(project, "node_modules"));
  return project;
}

/** In turn, run by run, so that a change in the machine's speed meets all of them alike. */
async function measure(stacks: [string, Stack][]): Promise<Map<string, { preview: number; up: number }>> {
  const times = stacks.map(([name, stack]) => ({ name, stack, preview: [] as number[], up: [] as number[] }));
  for (let run = 0; run <= RUNS; run++) {
    for (const { stack, preview, up } of times) {
      const previewed = await secondsOf(() => stack.preview());
      const upped = await secondsOf(() => stack.up());
      if (run > 0) preview.push(previewed) && up.push(upped);
    }
  }
  return new Map(times.map(({ name, preview, up }) => [name, { preview: median(preview), up: median(up) }]));
}

benchmark("Preview and up without a change", async () => {
  const sandbox = await startSandbox((line) => console.log(line));
  try {
    await secondsOf(() => sandbox.stack.up());
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
    const rows = [...results].map(([name, { preview, up }]) => [
      name,
      `${preview.toFixed(2)} s`,
      `${up.toFixed(2)} s`,
      (preview / base.preview).toFixed(2),
      (up / base.up).toFixed(2),
    ]);
    console.log(`${conditions(sandbox.parts)}; median of ${RUNS} runs each, in turn`);
    console.log(markdownTable(["program", "preview", "up", "preview / empty", "up / empty"], rows));
  } finally {
    await sandbox.stop();
  }
});
