import { describe, expect, it } from "vitest";
import { OperatorError } from "./error";
import { forOperators } from "./program";

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
