import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ensurePulumi, type Pulumi } from "../sandbox/pulumi/pulumi";

// What README and the workflows have an operator run before the first preview, as written, in a fresh clone. Plugins are
// those of the sandbox: with PULUMI_PLUGINS the official ones and the real language host.

/** The commands of README's production section before anything of a stack. */
function inReadme(): string {
  const [, production = ""] = /## Production\n([\s\S]*?)\n## /.exec(readFileSync("README.md", "utf8")) ?? [];
  const [, block = ""] = /```\n([\s\S]*?)```/.exec(production) ?? [];
  return block.slice(0, block.indexOf("make -s adopt"));
}

/** The steps of a workflow between Pulumi's own installation and `up`. */
function inWorkflow(file: string): string {
  const { jobs } = parse(readFileSync(file, "utf8")) as { jobs: { up: { steps: { name?: string; run?: string }[] } } };
  return jobs.up.steps
    .filter(({ name, run }) => run && name === undefined)
    .map(({ run }) => `${run}\n`)
    .join("");
}

const WRITTEN = {
  "README.md": inReadme(),
  "examples/forgejo/rotate.yaml": inWorkflow("examples/forgejo/rotate.yaml"),
  "examples/github/rotate.yaml": inWorkflow("examples/github/rotate.yaml"),
};

let pulumi: Pulumi;
let directory: string;
beforeAll(async () => {
  pulumi = await ensurePulumi({ log: console.error });
  directory = mkdtempSync(join(tmpdir(), "harden-zot-install-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const git = (clone: string, ...words: string[]) => execFileSync("git", words, { cwd: clone, encoding: "utf8" });

/** As git would give it to somebody, with what is not committed yet. */
function cloneTo(clone: string): void {
  for (const file of git(".", "ls-files").split("\n").filter(Boolean)) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    copyFileSync(file, join(clone, file));
  }
  git(clone, "init", "-q");
  git(clone, "add", "-A");
  git(clone, "-c", "user.name=t", "-c", "user.email=t@example.test", "commit", "-qm", "as cloned");
}

function run(clone: string, commands: string): void {
  const { npm_config_user_agent: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    ...pulumi.environment,
    PATH: `${dirname(pulumi.command)}:${process.env.PATH}`,
    npm_config_prefer_offline: "true",
    PULUMI_BACKEND_URL: `file://${directory}`,
  };
  const { status, stdout, stderr } = spawnSync("sh", ["-ec", commands], { cwd: clone, env, encoding: "utf8" });
  expect(status, stdout + stderr).toBe(0);
}

const loads = (clone: string) =>
  spawnSync(process.execPath, ["--require", "./loader.js", "-e", 'require("./src/identity/relying-party.ts")'], {
    cwd: clone,
    encoding: "utf8",
  });

describe("a fresh clone", () => {
  it.each(Object.entries(WRITTEN))("%s begins with one command", (_, commands) => {
    expect(commands).toBe("make install\n");
  });

  // npm itself may take minutes on a slow line.
  it("has all that the program needs after it, and is as it was", { timeout: 900_000 }, ({ skip }) => {
    const standIn = pulumi.parts.some(({ name, kind }) => name === "pulumi language host" && kind === "stand-in");
    skip(standIn, "the stand-in of the language host installs nothing");
    const clone = join(directory, "clone");
    mkdirSync(clone);
    cloneTo(clone);
    run(clone, WRITTEN["README.md"]);
    expect(git(clone, "status", "--porcelain")).toBe("");
    expect(loads(clone)).toMatchObject({ status: 0, stderr: "" });

    // Again, and as people are used to write it.
    run(clone, `${WRITTEN["README.md"]}npm ci --no-progress\n${WRITTEN["README.md"]}pulumi install\n`);
    expect(git(clone, "status", "--porcelain")).toBe("");
    expect(loads(clone)).toMatchObject({ status: 0, stderr: "" });
  });
});
