import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

/** What `make adopt` runs. */
function adopt(args: string[], input = ""): { code: number | null; out: string; err: string } {
  const command = ["--require", "./loader.js", "src/adopt/command.ts", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8", input });
  return { code: status, out: stdout, err: stderr };
}

describe("make adopt", () => {
  it("prints a stack file alone on standard output, and the report on standard error", () => {
    const { code, out, err } = adopt(["--config", "tests/golden/prod-config.json"]);
    expect(code, err).toBe(0);
    const { config } = parse(out);
    const prod = parse(readFileSync("Pulumi.prod.yaml", "utf8")).config;
    expect(config["harden-zot:registry"].pullThrough).toEqual(prod["harden-zot:registry"].pullThrough);
    expect(config["harden-zot:access"].tags).toEqual(prod["harden-zot:access"].tags);
    expect(err).toMatch(/^What the first `pulumi up` changes:\n {2}- the client secret: /);
    // It is hardened by these very settings: nobody's rights change.
    expect(err).not.toContain("Who gains or loses what");
  });

  it("reads standard input, and says a mistake without a stack trace", () => {
    const unknown = '{"storage":{"rootDirectory":"/srv/zot"},"http":{"prot":"5050"}}';
    const { code, out, err } = adopt(["--config", "-"], unknown);
    expect({ code, out, err }).toEqual({
      code: 2,
      out: "",
      err: "standard input: http.prot is not a key that zot knows, and it does not start with one: correct or remove it\n",
    });
  });

  it.each([
    [[], "which configuration? make adopt CONFIG=path/to/config.json\n"],
    [["--config", "/nowhere/config.json"], "CONFIG=/nowhere/config.json cannot be read (ENOENT)\n"],
  ])("says what is missing: %j", (args, err) => {
    expect(adopt(args)).toEqual({ code: 2, out: "", err });
  });
});
