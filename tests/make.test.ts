import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

/** Without what a `make test` around this says to makes below it. LOCK: nothing is installed. */
function make(...words: string[]) {
  return makeWith({}, ...words);
}

function makeWith(more: object, ...words: string[]): { code: number | null; out: string; err: string } {
  const { MAKEFLAGS: _, MFLAGS: __, MAKELEVEL: ___, ...rest } = process.env;
  const env = { ...rest, ...more };
  const { status, stdout, stderr } = spawnSync("make", ["LOCK=", ...words], { encoding: "utf8", env });
  return { code: status, out: stdout.trim(), err: stderr.trim() };
}

const MAKES_OWN_LINE = /\nmake: \*\*\* \[Makefile:\d+: \w+\] Error 2$/;

describe("make passes exit codes on", () => {
  const ask = (tag: string) => ["access", "STACK=prod", "WHO=zot-ci", "DO=push", `WHAT=blumeops/miniflux:${tag}`];

  it("0 for yes and 1 for no, and adds nothing", () => {
    const yes = make(...ask("v2.2.17-abc1234"));
    expect(yes).toEqual({ code: 0, out: expect.stringMatching(/^yes: [^\n]*$/), err: "" });
    const no = make(...ask("v2.2.17"));
    expect(no).toEqual({ code: 1, out: expect.stringMatching(/^no: [^\n]*$/), err: "" });
  });

  it.each([
    ["access", "which stack? make access STACK=prod"],
    ["verify", "which stack? make verify STACK=prod"],
    ["report", "which stack? make report STACK=prod"],
    ["rollback", "which stack? make rollback STACK=prod"],
    ["adopt", "which configuration? make adopt CONFIG=path/to/config.json"],
  ])("2 for a mistake in make %s, with make's own line after ours", (target, message) => {
    const { code, out, err } = make(target);
    expect([code, out, err.replace(MAKES_OWN_LINE, "")]).toEqual([2, "", message]);
    expect(err).toMatch(MAKES_OWN_LINE);
  });
});

it.each(["access", "verify", "report", "rollback", "adopt"])(
  "make -n %s shows the command and runs nothing",
  (target) => {
    const { code, out, err } = make("-n", target);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^node --require \.\/loader\.js (src|bin)\/\S+\.ts[ \\]*$/);
  },
);

it("what is asked for beside them is made too", () => {
  const { code, out } = make("access", "help", "STACK=prod", "WHO=zot-ci", "DO=push", "WHAT=blumeops/x:v1.2.3-abc1234");
  expect([code, out]).toEqual([0, expect.stringMatching(/^yes: [^\n]*\n {2}make help /)]);
});

describe("what is given by name is text", () => {
  const directory = mkdtempSync(join(tmpdir(), "harden-zot-make-"));
  const pwned = join(directory, "pwned");
  afterAll(() => rmSync(directory, { recursive: true }));

  const ATTACKS = [
    `x'; touch ${pwned}; '`,
    `$(shell touch ${pwned})`,
    `$$(touch ${pwned})`,
    `\`touch ${pwned}\``,
    `x" & touch ${pwned}`,
  ];

  it.each([...ATTACKS, "it's"])("a user called %s is not known, and nothing of it runs", (who) => {
    const { code, err } = make("access", "STACK=prod", `WHO=${who}`, "DO=push", "WHAT=team/app:v1");
    expect([code, err]).toEqual([2, expect.stringContaining(`WHO=${who}: no rule tells them apart`)]);
    expect(existsSync(pwned)).toBe(false);
  });

  it.each(ATTACKS)("a stack called %s is not there, by name or by the environment", (stack) => {
    for (const { code, err } of [make("access", `STACK=${stack}`), makeWith({ STACK: stack }, "access")]) {
      expect([code, err]).toEqual([2, expect.stringContaining(stack)]);
    }
    expect(existsSync(pwned)).toBe(false);
  });
});
