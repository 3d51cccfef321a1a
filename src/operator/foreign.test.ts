import fc from "fast-check";
import { expect, it } from "vitest";
import { OperatorError } from "./error";
import { foreign } from "./foreign";

it("is one line of what was said, without what speaks to a terminal", () => {
  expect(foreign("Invalid\r\n  password \u001b[2J\u001b]0;owned\u0007 \u202eevil\u0000")).toBe(
    "Invalid password [2J]0;owned evil",
  );
});

it("holds no secret that was sent, in any text, as it is or in a URL", () => {
  const secret = fc.string({ minLength: 8, maxLength: 300 }).filter((text) => text.trim() === text);
  const property = fc.property(fc.string(), secret, fc.string(), (before, secret, after) => {
    for (const form of [secret, encodeURIComponent(secret)]) {
      const shown = foreign(`${before}${form}${after}`, secret);
      expect(shown).not.toContain(form.slice(0, 190));
      expect(shown.length).toBeLessThanOrEqual(203);
    }
  });
  fc.assert(property, { seed: 1, numRuns: 500 });
});

it("an error of ours keeps its lines and tabs, and nothing else that is not seen", () => {
  expect(new OperatorError("a\n\tb\u001b[31m\u009b1m\u2066").message).toBe("a\n\tb[31m1m");
});
