import { describe, expect, it } from "vitest";
import { daysLeft, type KeyState, planRotation, strays, unknownSuccessor } from "./rotation";

const DAY = 86_400_000;
const now = new Date("2026-11-24T12:00:00Z");
const ago = (days: number) => new Date(now.getTime() - days * DAY).toISOString();
const key = (label: string, uuid = "u") => ({ uuid, label, createdAt: ago(1), expirationDate: ago(-89) });
const minted = {
  ...key("harden-zot prod zot-ci #4"),
  period: 4,
  apiKey: "zak_x",
  expiresAt: ago(-60),
  createdAt: ago(30),
  superseded: [],
};
const alive: KeyState = { alive: true, keys: [] };
const rule = { rotateAfter: 60 * DAY };

describe("planRotation", () => {
  it("makes the first key without a word", () => {
    expect(planRotation(undefined, undefined, rule, now)).toEqual({ period: 1 });
  });

  it("leaves a key that lives and is not due", () => {
    expect(planRotation(minted, alive, rule, now)).toEqual({ period: 4 });
  });

  it("rotates on the day it is due, and not a second before", () => {
    const due = { ...minted, createdAt: ago(60) };
    expect(planRotation(due, alive, rule, now)).toMatchObject({ period: 5, reason: "was made on 2026-09-25" });
    expect(planRotation(due, alive, rule, new Date(now.getTime() - 1000))).toEqual({ period: 4 });
  });

  it("replaces a key that the registry refuses", () => {
    expect(planRotation(minted, { alive: false }, rule, now)).toMatchObject({
      period: 5,
      reason: expect.stringContaining("refused"),
    });
  });

  it("replaces a key that has expired, also where nobody could ask the registry", () => {
    const dead = { ...minted, expiresAt: ago(1) };
    expect(planRotation(dead, undefined, rule, now)).toMatchObject({ period: 5, reason: "expired on 2026-11-23" });
  });

  it("does not take silence of the registry for a refusal", () => {
    expect(planRotation(minted, undefined, rule, now)).toEqual({ period: 4 });
  });

  it("rotates once for a word of the settings", () => {
    const forced = { ...rule, rotate: "leaked" };
    expect(planRotation(minted, alive, forced, now)).toMatchObject({ period: 5 });
    expect(planRotation({ ...minted, period: 5, rotate: "leaked" }, alive, forced, now)).toEqual({ period: 5 });
  });
});

const LABELS = ["harden-zot prod:0 zot-ci ", "harden-zot prod zot-ci #"];

describe("strays", () => {
  it("are the keys of no label of this very identity and stack", () => {
    const others = [
      "by hand",
      "harden-zot staging zot-ci #1",
      "harden-zot prod zot-ci-2 #1",
      "harden-zot prod:0 zot-ci-2 a #1",
      "harden-zot prod:1 zot-ci a #1",
      "xharden-zot prod zot-ci #1",
    ].map((label) => key(label));
    const own = ["harden-zot prod zot-ci #1", "harden-zot prod:0 zot-ci a #12"].map((label) => key(label));
    expect(strays([...own, ...others], LABELS)).toEqual(others);
  });
});

describe("unknownSuccessor", () => {
  const made = (label: string, days: number) => ({ ...key(label, `${label} ${days}`), createdAt: ago(days) });

  it("is the newest key of this stack that is newer than the one it holds", () => {
    const [newer, newest] = [made("harden-zot prod:0 zot-ci a #5", 20), made("harden-zot prod:0 zot-ci a #6", 10)];
    expect(unknownSuccessor([newer, newest, made("by hand", 1)], LABELS, minted)).toEqual(newest);
  });

  it("is none where the one it holds, or an older one, is the newest", () => {
    const older = made("harden-zot prod zot-ci #3", 60);
    expect(unknownSuccessor([older, { ...key(minted.label), createdAt: minted.createdAt }], LABELS, minted)).toBe(
      undefined,
    );
  });
});

it("daysLeft counts whole days", () => {
  expect(daysLeft(ago(-60), now)).toBe(60);
  expect(daysLeft(new Date(now.getTime() + DAY - 1).toISOString(), now)).toBe(0);
  expect(daysLeft(ago(1), now)).toBe(-1);
});
