import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requestTimeout } from "../settings/vocabulary";
import type { ZotConfig } from "../zot/types";
import { lintTimeouts, longestTransfers, requireTimeouts } from "./timeouts";

const NANOSECONDS = "zot takes a number without a unit for nanoseconds";
const extra = (http: object) => ({ http }) as Record<string, unknown>;
const messageOf = (config: Record<string, unknown>) => {
  try {
    requireTimeouts(config);
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
};

describe("timeouts in extraConfig", () => {
  it.each([
    [
      { readTimeout: 600 },
      `extraConfig.http.readTimeout = 600: must be a Go duration of at least 1s, such as "30m" or "90s"; write "600s" for 600 seconds; ${NANOSECONDS}`,
    ],
    [{ writeTimeout: "600" }, `extraConfig.http.writeTimeout = "600": must be a Go duration`],
    [{ writeTimeout: null }, "extraConfig.http.writeTimeout = null: must be a Go duration"],
    [
      { readTimeout: "0s", writeTimeout: "0s" },
      'extraConfig.http.readTimeout = "0s": must be a Go duration of at least 1s',
    ],
    [{ readtimeout: "5m" }, "extraConfig.http.readtimeout is http.readTimeout to zot, which then keeps any one of two"],
  ])("refuses %j", (http, message) => {
    expect(messageOf(extra(http))).toContain(message);
  });

  it("refuses them under another spelling of http, and every mistake at once", () => {
    expect(messageOf({ HTTP: { readTimeout: "5m" } })).toContain("extraConfig.HTTP.readTimeout is http.readTimeout");
    expect(messageOf(extra({ readTimeout: 1, writeTimeout: 2 })).split("\n")).toHaveLength(2);
  });

  it("warns of one without the other, and of nothing else", () => {
    expect(lintTimeouts(extra({ readTimeout: "5m" }))[0]).toMatch(
      /^one-timeout: harden-zot:registry\.extraConfig\.http\.readTimeout stands without writeTimeout; .*Set harden-zot:registry\.timeouts/,
    );
    expect(lintTimeouts(extra({ writeTimeout: "5m" }))[0]).toContain("stands without readTimeout");
    for (const quiet of [{}, extra({}), extra({ readTimeout: "5m", writeTimeout: "5m" }), extra({ realm: "mine" })]) {
      expect(lintTimeouts(quiet)).toEqual([]);
      expect(messageOf(quiet)).toBe("accepted");
    }
  });
});

describe("a timeout", () => {
  const units = fc.constantFrom(["ms", 1], ["s", 1000], ["m", 60_000], ["h", 3_600_000]) as fc.Arbitrary<
    [string, number]
  >;

  it("is any Go duration of at least a second, and nothing without a unit", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5000), units), { minLength: 1, maxLength: 3 }), (parts) => {
        const text = parts.map(([count, [unit]]) => `${count}${unit}`).join("");
        const milliseconds = parts.reduce((sum, [count, [, size]]) => sum + count * size, 0);
        expect(requestTimeout.safeParse(text).success).toBe(milliseconds >= 1000);
        expect(requestTimeout.safeParse(milliseconds).success).toBe(false);
        expect(requestTimeout.safeParse(String(milliseconds)).success).toBe(false);
        expect(requestTimeout.safeParse(`-${text}`).success).toBe(false);
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});

it("an upload takes no longer than either allows, a download no longer than the answer may", () => {
  const transfers = (http: object) => longestTransfers({ http } as ZotConfig);
  expect(transfers({})).toEqual({ upload: 60_000, download: 60_000 });
  expect(transfers({ readTimeout: "30m", writeTimeout: "1h30m" })).toEqual({ upload: 1_800_000, download: 5_400_000 });
  expect(transfers({ readTimeout: "30m" })).toEqual({ upload: 60_000, download: 60_000 });
});
