import { describe, expect, it } from "vitest";
import { parseDuration } from "./duration";

describe("parseDuration", () => {
  it.each([
    ["0", 0],
    ["1h30m", 5_400_000],
    ["-1.5s", -1500],
    [".5ms", 0.5],
    ["+2h45m0.5s", 9_900_500],
    ["10us", 0.01],
  ])("reads %s as Go does", (text, milliseconds) => {
    expect(parseDuration(text)).toEqual({ milliseconds });
  });

  it.each([
    ["", "time: invalid duration"],
    ["h", "time: invalid duration"],
    ["-", "time: invalid duration"],
    ["1", "time: missing unit in duration"],
    ["1h2", "time: missing unit in duration"],
    ["1 hour", "time: unknown unit"],
    ["1d", "time: unknown unit"],
  ])("refuses %j as Go does", (text, error) => {
    expect(parseDuration(text)).toEqual({ error });
  });
});
