import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { OperatorError } from "./error";
import { forOperators, shortenStack } from "./program";

describe("forOperators", () => {
  it("makes an operator's mistake one that Pulumi shows without a stack", async () => {
    const program = forOperators(async () => {
      throw new OperatorError("harden-zot:hosts is missing");
    });
    await expect(program()).rejects.toMatchObject({ message: "harden-zot:hosts is missing", __pulumiRunError: true });
  });

  it("leaves every other error what it is", async () => {
    const bug = new TypeError("x is not a function");
    await expect(forOperators(() => Promise.reject(bug))()).rejects.toBe(bug);
  });
});

describe("shortenStack", () => {
  it("takes out the lines on which Node 20 hangs, and keeps ours", () => {
    const error = new Error("bug");
    error.stack = "Error: bug\n    at plan (/p/src/plan.ts:1:1)\n    at run (/p/node_modules/@pulumi/stack.ts:2:2)";
    shortenStack(error);
    // Would not return otherwise.
    expect(inspect(error, { colors: true })).toContain("/p/src/plan.ts");
    expect(error.stack).not.toContain("node_modules");
  });
});
