import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

// Changes one line of agent.sh at a time and runs the agent's tests, the cheap ones first, until one fails. A mutant that
// no test minds is named with its line and its change: a test is missing, or the two are alike (docs/benchmarks.md).

/** By what they cost; all mutants go through one before the survivors go on to the next. */
const TESTS = [
  ...["words", "services", "transactions"].map((name) => `src/host/agent-${name}.test.ts`),
  ...["hang", "refusals", "managers", "tenure", "power", "first", "reload"].map(
    (name) => `tests/host/agent-${name}.test.ts`,
  ),
  "tests/host/agent.test.ts",
];
const AGENT = "src/host/agent.sh";

interface Mutant {
  /** Counted from 1. */
  line: number;
  kind: string;
  before: string;
  after: string;
}

type Change = (line: string) => string[];

/** Every occurrence by itself. */
const each =
  (pattern: RegExp, replacement: (found: string) => string): Change =>
  (line) =>
    [...line.matchAll(pattern)].map(
      ({ 0: found, index }) => line.slice(0, index) + replacement(found) + line.slice(index + found.length),
    );

const OPPOSITES: Record<string, string> = {
  ...{ "=": "!=", "!=": "=", "-z": "-n", "-n": "-z", "-lt": "-ge", "-ge": "-lt", "-gt": "-le", "-le": "-gt" },
  ...{ "-eq": "-ne", "-ne": "-eq", "-f": "! -f", "-d": "! -d", "-s": "! -s" },
};

const CHANGES: Record<string, Change> = {
  "line dropped": () => [":"],
  "condition negated": (line) => [
    ...each(
      /(?<=\[ [^\]]*)(?<= )(=|!=|-[zn]|-lt|-ge|-gt|-le|-eq|-ne|-[fds])(?= )/g,
      (found) => OPPOSITES[found] as string,
    )(line),
    ...each(/\b(if|elif|while|until) (! )?/g, (found) => (found.endsWith("! ") ? found.slice(0, -2) : `${found}! `))(
      line,
    ),
  ],
  "and for or": each(/&&|\|\|/g, (found) => (found === "&&" ? "||" : "&&")),
  "another number": each(/(?<![\w$.{>*-])\d+(?![\w>.}*])/g, (found) => String(Number(found) + 1)),
  "another word": each(/(?<=["'])[a-z][a-z ]*[a-z]|(?<==)(yes|no|none|true|false|restart)\b/g, (found) => `${found}x`),
  "return dropped": each(/ (\|\||&&) return( \d)?/g, () => ""),
};

/** Changes of all lines but comments, each of which is still a program. */
function mutantsOf(text: string): Mutant[] {
  return text.split("\n").flatMap((before, index) => {
    const indented = before.replace(/\S.*/, "");
    if (/^\s*(#|$)/.test(before)) return [];
    return Object.entries(CHANGES).flatMap(([kind, change]) =>
      change(before)
        .map((after) => ({ line: index + 1, kind, before, after: after === ":" ? `${indented}:` : after }))
        .filter(({ after }) => after.trim() !== before.trim()),
    );
  });
}

function changed(text: string, { line, after }: Mutant): string {
  return text
    .split("\n")
    .map((kept, index) => (index === line - 1 ? after : kept))
    .join("\n");
}

const parses = (text: string) => spawnSync("sh", ["-n"], { input: text }).status === 0;

/** The same for the same seed: mulberry32. */
function shuffled<T>(all: readonly T[], seed: number): T[] {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return all
    .map((one) => ({ one, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

/** A copy of this project, whose agent may be changed. */
function copyProject(): string {
  const copy = mkdtempSync(join(tmpdir(), "harden-zot-mutants-"));
  for (const name of [
    "src",
    "sandbox",
    "tests",
    "bin",
    "package.json",
    "vitest.config.mts",
    "tsconfig.json",
    "loader.js",
  ])
    cpSync(name, join(copy, name), { recursive: true });
  symlinkSync(resolve("node_modules"), join(copy, "node_modules"));
  return copy;
}

/** Whether the test minds; one that hangs does. */
function minds(copy: string, test: string): boolean {
  const { status } = spawnSync("node", ["node_modules/vitest/vitest.mjs", "run", "--bail", "1", test], {
    cwd: copy,
    timeout: 600_000,
  });
  return status !== 0;
}

function main(): void {
  const { values } = parseArgs({
    options: { seed: { type: "string", default: "1" }, count: { type: "string", default: "300" } },
  });
  const text = readFileSync(AGENT, "utf8");
  const all = mutantsOf(text);
  let left: Mutant[] = [];
  for (const mutant of shuffled(all, Number(values.seed))) {
    if (left.length === Number(values.count)) break;
    if (parses(changed(text, mutant))) left.push(mutant);
  }
  console.log(`${left.length} of ${all.length} changes of ${AGENT}, seed ${values.seed}`);
  const copy = copyProject();
  try {
    for (const test of TESTS) {
      if (minds(copy, test)) throw new Error(`${test} fails without any change`);
      const tried = left.length;
      left = left.filter((mutant) => {
        writeFileSync(join(copy, AGENT), changed(text, mutant));
        const killed = minds(copy, test);
        console.log(
          `${killed ? "killed" : "SURVIVED"} ${mutant.line} ${mutant.kind}: ${mutant.before.trim()} => ${mutant.after.trim()}`,
        );
        return !killed;
      });
      writeFileSync(join(copy, AGENT), text);
      console.log(`${test}: ${tried - left.length} of ${tried} killed`);
      if (left.length === 0) break;
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
  process.exitCode = left.length === 0 ? 0 : 1;
}

main();
