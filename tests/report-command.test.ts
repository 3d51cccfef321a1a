import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stateIn } from "../src/report/state";

/** Nothing listens there, so checks fail at once. */
const NOWHERE = "https://127.0.0.1:1";
const OUTPUTS = { oidcIssuer: NOWHERE, redirectUri: `${NOWHERE}/zot/auth/callback/oidc`, ci: {}, ciSecrets: {} };

describe("make report", () => {
  const folder = mkdtempSync(join(tmpdir(), "report-"));
  const at = (name: string) => join(folder, name);
  beforeAll(() => {
    const text = readFileSync("Pulumi.prod.yaml", "utf8").replace(/https:\/\/(registry|authentik)\.ops\S+/g, NOWHERE);
    for (const stack of ["one", "two"]) writeFileSync(at(`Pulumi.${stack}.yaml`), text);
    writeFileSync(at("pulumi"), `#!/bin/sh\necho '${JSON.stringify(OUTPUTS)}'\n`, { mode: 0o755 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const report = (...args: string[]) =>
    spawnSync(
      process.execPath,
      ["--require", resolve("loader.js"), resolve("src/report/command.ts"), "--read-only", ...args],
      { cwd: folder, encoding: "utf8", env: { ...process.env, PATH: `${folder}:${process.env.PATH}` } },
    );

  it("is written though checks fail, and compared with the one before", () => {
    const first = report("--stack", "one");
    expect([first.status, first.stderr]).toEqual([1, ""]);
    expect(first.stdout).toContain("report.html is written");
    expect(readFileSync(at("report.html"), "utf8")).toContain("This is the first report in this file");
    report("--stack", "one");
    expect(readFileSync(at("report.html"), "utf8")).toContain("Nothing since");
  });

  it("does not overwrite what is something else", () => {
    writeFileSync(at("notes.html"), "mine");
    const { status, stderr } = report("--stack", "one", "--out", "notes.html");
    expect([status, stderr]).toEqual([2, expect.stringContaining("notes.html is there, and is no report")]);
    expect(readFileSync(at("notes.html"), "utf8")).toBe("mine");
    const other = report("--stack", "two");
    expect([other.status, other.stderr]).toEqual([2, expect.stringContaining("is the report of the stack one")]);
    expect(stateIn(readFileSync(at("report.html"), "utf8"), "").stack).toBe("one");
  });

  it("says where it cannot write", () => {
    const { status, stderr } = report("--stack", "one", "--out", "none/report.html");
    expect([status, stderr]).toEqual([2, expect.stringContaining("OUT=none/report.html: cannot be written")]);
  });
});
