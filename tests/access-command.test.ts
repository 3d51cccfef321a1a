import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

/** What `make access` runs, on the production stack of this project. */
function access(...args: string[]): { code: number | null; out: string; err: string } {
  const command = ["--require", "./loader.js", "src/review/command.ts", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  return { code: status, out: stdout.trim(), err: stderr.trim() };
}

describe("make access", () => {
  it("shows who may do what where, without a word of CEL in the columns", () => {
    const { code, out } = access("--stack", "prod");
    expect(code).toBe(0);
    expect(out).toMatch(/^docker\.io\/\*\* +zot-ci +yes +no +no +no$/m);
    expect(out).toMatch(/^blumeops\/\*\* +group admins +yes +yes +if \[\d\] +yes$/m);
  });

  it("gives the table as JSON", () => {
    const { rows } = JSON.parse(access("--stack", "prod", "--json").out);
    expect(rows).toContainEqual(
      expect.objectContaining({ where: "quay.io/**", who: { label: "anonymous", name: "", groups: [] } }),
    );
  });

  it("answers yes with exit 0 and no with exit 1, by which rule", () => {
    const ask = (tag: string) =>
      access("--stack", "prod", "--who", "zot-ci", "--do", "push", "--what", `blumeops/miniflux:${tag}`);
    expect(ask("v2.2.17-abc1234")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^yes: .*blumeops\/\*\*"\]\.policies\[0\]/),
    });
    expect(ask("v2.2.17")).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^no: .*403 DENIED: this registry takes new tags/),
    });
  });

  it.each([
    [["--stack", "nowhere"], "STACK=nowhere: there is no Pulumi.nowhere.yaml here"],
    [["--stack", "prod", "--who", "zot-ci"], "a question needs all three: WHO=zot-ci DO=push WHAT=team/app:v1"],
    [[], "which stack? make access STACK=prod"],
  ])("says what is missing, without a stack trace: %j", (args, message) => {
    expect(access(...args)).toEqual({ code: 2, out: "", err: message });
  });
});
