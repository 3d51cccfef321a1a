import { describe, expect, it } from "vitest";
import { ConditionError, type ConditionRequest, compileCondition } from "./cel";

const request: ConditionRequest = {
  time: new Date("2026-06-01T12:00:00Z"),
  method: "PUT",
  userAgent: "crane/1",
  action: "create",
  repository: "team/app",
  reference: "v1.2.3-abcdef0",
  referenceType: "tag",
  tag: "v1.2.3-abcdef0",
  digest: "",
  user: { username: "ci", groups: ["workloads"] },
  auth: { anonymous: false, admin: false },
  client: { ip: "127.0.0.1", forwardedFor: [] },
  tls: { enabled: false, version: "" },
  claims: {},
};

const holds = (expression: string) => compileCondition(expression).holds(request);

describe("conditions, as zot 2.1.20 takes them", () => {
  it.each([
    String.raw`req.tag.matches(r'^v\d+\.\d+\.\d+-[0-9a-f]{7}(-nix)?$')`,
    String.raw`req.tag.matches("^v\\d+") && !req.tag.matches("^\\d")`,
    "req.tag.matches('^(?i)V')",
    "req.tag.matches('[[:digit:]]')",
    "matches(req.tag, 'abc')",
    'req.user.groups.exists(group, group.matches("^work"))',
    'req.repository.split("/")[0] == "team" && size(req.user.groups) == 1',
    'req.time > timestamp("2026-01-01T00:00:00Z") && req.time - duration("1h") < req.time',
    'sets.contains(req.user.groups, ["workloads"]) && !sets.intersects(req.user.groups, ["admins"])',
    'req.tag.replace("v", "", 1).charAt(0) == "1" && "%s: %d%%".format(["x", "7"]) == "x: 7%"',
    'has(req.claims) && !has(req.claims.sub) && req.?claims.?sub.orValue("none") == "none"',
    'req.nope == "x" || true',
    '!(req.tag == 1) && 1 < 1.5 && "main" != req.tag',
  ])("hold: %s", (expression) => expect(holds(expression)).toBe(true));

  it.each([
    "req.nope == 1",
    "int(req.digest) == 0",
    "int('1x') == 1",
    "req.tag",
    "req.user.groups[3] == 'x'",
    "req.claims.sub == 'x'",
  ])("fail, and grant nothing: %s", (expression) => expect(() => holds(expression)).toThrow());

  it.each([
    "nope == 1",
    "req.tag ==",
    "",
    "req.tag.matches('(')",
    "req.tag.matches('(?=v)')",
    "matches(req.tag, '(')",
    "'1' + 1 == 'x'",
    "1 == 1.0",
    "[1, 'a'] == [1]",
    "'a'.foo()",
    "timestamp('x') < req.time",
    "duration('1x') == duration('1s')",
    "cel.bind(x, req.tag, x == 'a')",
    "math.greatest(1, 2) == 2",
  ])("are refused when zot loads: %s", (expression) =>
    expect(() => compileCondition(expression)).toThrow(ConditionError),
  );

  it("tell what they read and what they give", () => {
    expect(compileCondition("size(req.user.groups) > 0 && req.tag == 'x'")).toMatchObject({
      type: "bool",
      reads: expect.arrayContaining(["req.user.groups", "req.tag"]),
    });
    expect(compileCondition("size(req.tag)").type).toBe("int");
  });
});
