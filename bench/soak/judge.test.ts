import { describe, expect, it } from "vitest";
import { type Action, type Course, differences, type Exchange, HALF_WRITTEN, phaseOf, unexplained } from "./judge";

/** Restarted from 10 to 11 s; the rule was open until 20 s, and closed from 25 s on. */
const COURSE: Course = {
  phases: [
    { name: "service restart", from: 10_000, to: 11_000 },
    { name: "issuer outage", from: 14_000, to: 18_000 },
    { name: "rule change", from: 20_000, to: 25_000 },
  ],
  settled: [
    { rule: "open", from: 0, to: 20_000 },
    { rule: "closed", from: 25_000, to: Number.POSITIVE_INFINITY },
  ],
};

/** @param at seconds */
const exchange = (action: Action, status: number | string, at: number, took = 5): Exchange => ({
  action,
  status,
  from: at * 1000,
  to: at * 1000 + took,
});

const isExplained = (...one: Parameters<typeof exchange>) => unexplained([exchange(...one)], COURSE).length === 0;

describe("the judge of a soak", () => {
  it.each([
    ["pull a blob", 200],
    ["push", 401],
    ["push a new version", 202],
    ["push a new version", 201],
    ["overwrite a version", 403],
    ["use a retired key", 401],
    ["up without the issuer", "refused"],
  ] as const)("takes for granted: %s, %s", (action, status) => {
    expect(isExplained(action, status, 5)).toBe(true);
  });

  it.each([
    ["pull a manifest by its tag", 500],
    ["pull a manifest by its tag", 404],
    ["pull a blob", "wrong bytes"],
    ["pull a blob", "TimeoutError"],
    ["push", 202],
    ["push a new version", 401],
    ["push with the key before", 401],
    ["overwrite a version", 201],
    ["push to another's path", 202],
    ["push into the cache", 202],
    ["push a tag of another form", 201],
    ["use a retired key", 200],
    ["read the stack's outputs", "failed"],
    ["up", "refused"],
    ["up without the issuer", "done"],
  ] as const)("cannot explain at any time: %s, %s", (action, status) => {
    for (const at of [5, 10.5, 15, 22, 30]) expect([at, isExplained(action, status, at)]).toEqual([at, false]);
  });

  it.each(["ECONNREFUSED", "ECONNRESET", "UND_ERR_SOCKET"])("explains %s by a restart alone", (code) => {
    const cut = (at: number, took?: number) => isExplained("pull a blob", code, at, took);
    expect([cut(9.9, 200), cut(10.5), cut(10.99, 500)]).toEqual([true, true, true]);
    expect([cut(9), cut(11.1), cut(15), cut(22)]).toEqual([false, false, false, false]);
  });

  it("holds the changing rule to what is in force, and takes either while it changes", () => {
    const pull = (status: number, at: number, took?: number) => isExplained("pull from guarded/", status, at, took);
    expect([pull(200, 5), pull(401, 5), pull(200, 30), pull(401, 30)]).toEqual([true, false, false, true]);
    expect([pull(200, 22), pull(401, 22), pull(401, 19.9, 200), pull(500, 22)]).toEqual([true, true, true, false]);
    expect(isExplained("push to extra/", 201, 30)).toBe(false);
  });

  it("explains a state that is half written by an up alone, and to its reader alone", () => {
    const read = (at: number) => isExplained("read the stack's outputs", HALF_WRITTEN, at);
    expect([read(22), read(5), read(10.5)]).toEqual([true, false, false]);
    expect(isExplained("pull a blob", HALF_WRITTEN, 22)).toBe(false);
  });

  it("counts a request to the phase in which something was down", () => {
    const phases = [...COURSE.phases, { name: "host reboot", from: 21_000, to: 22_000 } as const];
    expect([5, 15, 20.5, 21.5].map((at) => phaseOf(exchange("push", 401, at), phases))).toEqual([
      "none",
      "issuer outage",
      "rule change",
      "host reboot",
    ]);
  });
});

describe("the tags at the end of a soak", () => {
  const KNOWN = new Map([
    ["a:1", { digest: "sha256:1", answered: true }],
    ["a:2", { digest: "sha256:2", answered: false }],
  ]);

  it("are all there, and those whose push was cut may be", () => {
    expect(differences(KNOWN, new Map([["a:1", { digest: "sha256:1" }]]))).toEqual([]);
    expect(
      differences(
        KNOWN,
        new Map([
          ["a:1", { digest: "sha256:1" }],
          ["a:2", { digest: "sha256:2" }],
        ]),
      ),
    ).toEqual([]);
  });

  it.each([
    ["lost", {}, /a:1 was answered 201 with sha256:1, and is gone/],
    ["moved", { "a:1": { digest: "sha256:3" } }, /a:1 is sha256:3, and was pushed as sha256:1/],
    ["moved where it was cut", { "a:1": { digest: "sha256:1" }, "a:2": { digest: "sha256:3" } }, /a:2 is sha256:3/],
    ["from nowhere", { "a:1": { digest: "sha256:1" }, "b:1": { digest: "sha256:3" } }, /b:1 is sha256:3, which nobody/],
    ["damaged", { "a:1": { digest: "sha256:1", broken: "blob x is answered 404" } }, /a:1: blob x is answered 404/],
  ])("are noticed when one is %s", (_, found, sentence) => {
    expect(differences(KNOWN, new Map(Object.entries(found)))).toEqual([expect.stringMatching(sentence)]);
  });
});
