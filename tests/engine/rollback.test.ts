import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../sandbox/sandbox";
import type { Run } from "../../sandbox/stack";

const PROJECT = resolve(__dirname, "../..");
const COMMAND = ["--require", join(PROJECT, "loader.js"), join(PROJECT, "src/host/rollback-command.ts")];

/** What `make rollback` runs, where the stack's file is. */
function rollback(sandbox: Sandbox, ...args: string[]): Promise<Run> {
  const cwd = join(sandbox.directory, "stack");
  const child = spawn(process.execPath, [...COMMAND, "--stack", "sandbox", ...args], { cwd });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  return new Promise((settle) => child.on("close", (code) => settle({ code: code ?? 1, output })));
}

const liveConfig = (sandbox: Sandbox) => readFileSync(join(sandbox.host.configDirectory, "config.json"), "utf8");

const anonymousPull = async ({ registryUrl }: Sandbox) =>
  (await fetch(`${registryUrl}/v2/team/app/manifests/v1.0.0-abcdef0`)).status;

async function up(sandbox: Sandbox): Promise<void> {
  const { code, output } = await sandbox.stack.up();
  expect(code, output).toBe(0);
}

/** One life of a stack, in order: each test starts where the one before it ended. */
describe("undo, with the Pulumi engine", () => {
  let sandbox: Sandbox;
  let open: string;
  let good: string;
  let later: string;

  beforeAll(async () => {
    sandbox = await startSandbox(() => {});
    open = liveConfig(sandbox);
  });
  afterAll(() => sandbox?.stop());

  it("refuses on a host that was never hardened", async () => {
    const { code, output } = await rollback(sandbox);
    expect(output).toMatch(/^registry-host: .* no configuration there.* Nothing was changed\.$/m);
    expect(code).toBe(2);
  });

  it("refuses when the current hardened configuration is the first: only destroy goes back to the open one", async () => {
    await up(sandbox);
    good = liveConfig(sandbox);
    const { code, output } = await rollback(sandbox);
    expect(output).toMatch(/^registry-host: failed: no hardened configuration came before .* nothing was changed$/m);
    expect(code).toBe(1);
    expect(liveConfig(sandbox)).toBe(good);
  });

  it("puts back the last good configuration, byte for byte, and the registry serves it", async () => {
    const settings = sandbox.settings();
    settings["harden-zot:access"] = { ...(settings["harden-zot:access"] as object), anonymous: [] };
    sandbox.stack.configure(settings);
    await up(sandbox);
    later = liveConfig(sandbox);
    expect(await anonymousPull(sandbox)).toBe(401);

    const { code, output } = await rollback(sandbox, "--host", "registry-host");
    expect(output).toMatch(/^registry-host: rolled back; zot 2\.1\.20 serves config\.json [0-9a-f]{12} \(before: /m);
    expect(code).toBe(0);
    expect(liveConfig(sandbox)).toBe(good);
    expect(await anonymousPull(sandbox)).toBe(200);
  });

  it("the next preview says so, and the next up goes forward again", async () => {
    const preview = await sandbox.stack.preview();
    expect(preview.output).toContain("registry-host: the configuration was rolled back by hand; up will heal it");
    expect(preview.output).toMatch(/~ \d+ to update/);
    await up(sandbox);
    expect(liveConfig(sandbox).trimEnd()).toBe(later.trimEnd());
    expect(await anonymousPull(sandbox)).toBe(401);
    const after = await sandbox.stack.preview("--expect-no-changes");
    expect(after.code, after.output).toBe(0);
  });

  it("a second rollback in a row goes back to where the first came from", async () => {
    expect((await rollback(sandbox)).code).toBe(0);
    expect(liveConfig(sandbox)).toBe(good);
    expect((await rollback(sandbox)).code).toBe(0);
    expect(liveConfig(sandbox).trimEnd()).toBe(later.trimEnd());
  });

  it("refuses a host that the stack does not have", async () => {
    const { code, output } = await rollback(sandbox, "--host", "elsewhere");
    expect({ code, output }).toEqual({ code: 2, output: "HOST=elsewhere: must be one of: registry-host\n" });
  });

  it("destroy puts back the open configuration byte for byte, also after a rollback", async () => {
    expect((await rollback(sandbox)).code).toBe(0);
    const { code, output } = await sandbox.stack.destroy();
    expect(code, output).toBe(0);
    expect(liveConfig(sandbox)).toBe(open);
    expect(await anonymousPull(sandbox)).toBe(200);
  });
});
