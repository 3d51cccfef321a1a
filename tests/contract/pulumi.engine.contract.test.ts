import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensurePulumi, type Pulumi } from "../../sandbox/pulumi/pulumi";

// One small program's life under the real engine: the language host and the providers as the engine uses them.

const PROGRAM = `
const pulumi = require("@pulumi/pulumi"), command = require("@pulumi/command"), random = require("@pulumi/random");
const { STEP = "", JOURNAL } = process.env;
const config = new pulumi.Config();
// Of the stack one line is enough, and Node 20.20 takes a minute to print Pulumi's own (src/operator/program.ts).
const short = (error) => Object.assign(error, { stack: error.stack.split("\\n").slice(0, 2).join("\\n") });
if (STEP === "throw") throw short(new Error("a mistake in the program"));
if (STEP === "refuse") throw short(new pulumi.RunError("an operator's mistake"));
const password = new random.RandomPassword("password", { length: 20, keepers: { k: STEP === "keepers" ? "b" : "a" } });
const noted = new command.local.Command("noted", {
  create: "echo create " + (STEP === "trigger" ? "new" : "old") + " >> $JOURNAL; echo made",
  update: "echo update >> $JOURNAL; echo remade",
  delete: "echo delete >> $JOURNAL",
  environment: { JOURNAL, ...(STEP === "update" && { MORE: "1" }) },
  triggers: [STEP === "trigger" ? 2 : 1],
});
if (STEP === "fail") new command.local.Command("failing", { create: "echo why >&2; exit 3" });
exports.plain = config.require("plain");
exports.hidden = config.requireSecret("hidden");
exports.password = password.result;
exports.stdout = noted.stdout;
`;

let pulumi: Pulumi;
let directory: string;
beforeAll(async () => {
  pulumi = await ensurePulumi({ log: console.error });
  directory = mkdtempSync(join(tmpdir(), "pulumi-contract-"));
  symlinkSync(resolve(__dirname, "../../node_modules"), join(directory, "node_modules"));
  const project = "name: contract\nruntime:\n  name: nodejs\n  options: { typescript: false }\nmain: index.js\n";
  const files = { "Pulumi.yaml": project, "package.json": '{"name":"contract"}', "index.js": PROGRAM };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  mkdirSync(join(directory, "state"));
  await run(["stack", "init", "contract"]);
  await run(["config", "set", "plain", "in the open"]);
  await run(["config", "set", "--secret", "hidden", "T0PSECRET"]);
});
afterAll(() => rmSync(directory, { recursive: true }));

function run(args: string[], step = ""): Promise<{ code: number; output: string }> {
  const environment = {
    ...process.env,
    ...pulumi.environment,
    ...{ PULUMI_BACKEND_URL: `file://${directory}/state`, PULUMI_CONFIG_PASSPHRASE: "contract" },
    ...{ STEP: step, JOURNAL: join(directory, "journal") },
  };
  const flags = ["--non-interactive", "--color", "never"];
  return new Promise((settle) =>
    execFile(pulumi.command, [...args, ...flags], { cwd: directory, env: environment }, (error, stdout, stderr) =>
      settle({ code: error ? ((error.code as unknown as number) ?? 1) : 0, output: stdout + stderr }),
    ),
  );
}

const up = (step?: string) => run(["up", "--yes", "--skip-preview"], step);
const outputs = async () => JSON.parse((await run(["stack", "output", "--json", "--show-secrets"])).output);

/** What the commands did since the last call. */
function journal(): string[] {
  const file = join(directory, "journal");
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  rmSync(file);
  return lines;
}

describe("a program's life", () => {
  it("a preview does nothing and knows nothing of what would come out", async () => {
    const { code, output } = await run(["preview"]);
    expect(output).toContain("+ 3 to create");
    expect(output).toMatch(/stdout *: \[unknown\]/);
    expect({ code, done: journal() }).toEqual({ code: 0, done: [] });
  });

  it("up creates, with configuration that reaches the program and secrets that are not shown", async () => {
    const { code, output } = await up();
    expect({ code, done: journal() }).toEqual({ code: 0, done: ["create old"] });
    expect(output).toMatch(/hidden *: \[secret\]/);
    expect(output).not.toContain("T0PSECRET");
    const known = { plain: "in the open", hidden: "T0PSECRET", stdout: "made" };
    expect(await outputs()).toMatchObject({ ...known, password: expect.stringMatching(/^.{20}$/) });
  });

  it("up again changes nothing, nor does a refresh", async () => {
    expect((await up()).output).toContain("3 unchanged");
    expect((await run(["refresh", "--yes", "--skip-preview"])).output).toContain("3 unchanged");
    expect(journal()).toEqual([]);
  });

  it("a changed argument is an update in place", async () => {
    expect((await up("update")).output).toContain("~ 1 updated");
    expect(journal()).toEqual(["update"]);
    expect((await outputs()).stdout).toBe("remade");
  });

  it("a changed trigger is a replacement, the new one first", async () => {
    expect((await up("trigger")).output).toContain("+-1 replaced");
    expect(journal()).toEqual(["create new", "delete"]);
  });

  it("changed keepers make another password", async () => {
    const { password } = await outputs();
    expect((await up("keepers")).output).toContain("+-2 replaced"); // and the trigger is back
    expect((await outputs()).password).not.toBe(password);
    journal();
  });

  it("a command that fails ends the update, with its output, and leaves the rest as it is", async () => {
    const { code, output } = await up("fail");
    expect(code).not.toBe(0);
    expect(output).toContain('error: exit status 3: running "echo why >&2; exit 3":\n    why');
    expect((await outputs()).stdout).toBe("made");
  });

  it.each([
    ["throw", "a mistake in the program"],
    ["refuse", "an operator's mistake"],
  ])("a program that fails (%s) changes nothing and says why", async (step, message) => {
    const { code, output } = await up(step);
    expect(code).not.toBe(0);
    expect(output).toContain(message);
    expect(output.includes("    at ")).toBe(step === "throw");
    expect(journal()).toEqual([]);
  });

  it("destroy needs no program and runs what the state holds", async () => {
    writeFileSync(join(directory, "index.js"), "throw new Error('not to be run')");
    expect((await run(["destroy", "--yes", "--skip-preview"])).code).toBe(0);
    expect(journal()).toEqual(["delete"]);
  });
});
