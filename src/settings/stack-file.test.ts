import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OperatorError } from "../operator/error";
import { settingsOfStack } from "./stack-file";

describe("a stack file that is not YAML", () => {
  const before = process.cwd();
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "harden-zot-stack-"));
    process.chdir(directory);
  });
  afterAll(() => {
    process.chdir(before);
    rmSync(directory, { recursive: true });
  });

  it.each([
    ["a tab", "config:\n\tauthentik:url: https://a.test\n", "line 2, column 1"],
    ["a bracket left open", "config:\n  a: [1, 2\n  b: 3\n", "line 3, column 3"],
    ["a colon too many", "config:\n  a: b: s3cret-9\n", "line 2, column 6"],
    ["a key twice", "config:\n  a: 1\n  a: 2\n", "line 3, column 3"],
    ["a quote left open", 'config:\n  a: "s3cret-9\n', "line 3, column 1"],
    ["two documents", "config: {}\n---\nconfig: {}\n", "line 2, column 1"],
  ])("%s: says file and line in one sentence, and quotes nothing of it", (_, text, place) => {
    writeFileSync("Pulumi.broken.yaml", text);
    let message = "";
    try {
      settingsOfStack("broken");
    } catch (error) {
      expect(error).toBeInstanceOf(OperatorError);
      message = (error as Error).message;
    }
    expect(message).toMatch(new RegExp(`^Pulumi\\.broken\\.yaml, ${place}: not valid YAML: .+; nothing was read$`));
    expect(message).not.toContain("s3cret");
    expect(message).not.toContain("\n");
  });
});
