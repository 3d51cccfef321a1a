import { describe, expect, it } from "vitest";
import { type AccessRules, compileAccess } from "../../config/compile";
import { accessSettings, ciSettings } from "../../settings/access";
import type { AccessControl, RepositoryPolicy, ZotConfig } from "../../zot/types";
import type { LintName } from "./finding";
import { lintAccess, requireSound } from "./lints";

const RULES: AccessRules = {
  access: accessSettings.parse({ admins: { group: "admins" }, tags: { mutable: ["main"], format: "^v\\d+$" } }),
  ci: ciSettings.parse([{ name: "zot-ci", group: "workloads", repositories: ["team/**"] }]),
  registry: {
    version: "2.1.20",
    metrics: "anonymous",
    pullThrough: [{ name: "docker.io", url: "https://registry-1.docker.io", tlsVerify: true }],
  },
};

const compiled = compileAccess(RULES);
const READ: RepositoryPolicy = { anonymousPolicy: ["read"], defaultPolicy: ["read"] };

function configWith(accessControl: AccessControl | undefined, dedupe = false): ZotConfig {
  return {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: "/srv/zot", dedupe },
    http: { address: "127.0.0.1", port: "5000", auth: { apikey: true }, ...(accessControl ? { accessControl } : {}) },
  };
}

const withPattern = (pattern: string, policy: RepositoryPolicy): AccessControl => ({
  ...compiled,
  repositories: { ...compiled.repositories, [pattern]: policy },
});

const namesOf = (accessControl: AccessControl | undefined, rules = RULES) =>
  new Set(lintAccess(configWith(accessControl), rules).map(({ lint }) => lint));

const ci = { groups: ["workloads"] };

describe("lints", () => {
  it("find nothing in what the compiler makes", () => {
    expect(lintAccess(configWith(compiled), RULES)).toEqual([]);
  });

  it.each<[LintName, string, AccessControl]>([
    ["anonymous-write", "an anonymousPolicy", withPattern("open/**", { ...READ, anonymousPolicy: ["read", "create"] })],
    [
      "anonymous-write",
      "the user without a name",
      withPattern("open/**", { policies: [{ users: [""], actions: ["delete"] }] }),
    ],
    ["anonymous-write", "adminPolicy", { ...compiled, adminPolicy: { users: [""], actions: ["read", "delete"] } }],
    [
      "tag-overwrite",
      "update without a condition",
      withPattern("x/**", { policies: [{ ...ci, actions: ["update"] }] }),
    ],
    ["tag-overwrite", "update for everyone", withPattern("x/**", { defaultPolicy: ["read", "update"] })],
    [
      "tag-overwrite",
      "a condition that lets one version through",
      withPattern("x/**", {
        policies: [
          { ...ci, actions: ["update"], conditions: [{ expression: 'req.tag in ["main", "v9.9.9-fffffff"]' }] },
        ],
      }),
    ],
    [
      "tag-overwrite",
      "break-glass",
      { ...compiled, adminPolicy: { groups: ["admins"], actions: ["read", "delete", "update"] } },
    ],
    [
      "tag-replace",
      "create and delete in one policy",
      withPattern("x/**", { policies: [{ ...ci, actions: ["create", "delete"] }] }),
    ],
    [
      "tag-replace",
      "create for everyone and delete for one",
      withPattern("x/**", { defaultPolicy: ["read", "create"], policies: [{ ...ci, actions: ["delete"] }] }),
    ],
    [
      "tag-replace",
      "create by group and delete by name",
      withPattern("x/**", {
        policies: [
          { ...ci, actions: ["create"] },
          { users: ["zot-ci"], actions: ["delete"] },
        ],
      }),
    ],
    [
      "tag-replace",
      "delete by digest alone",
      withPattern("x/**", {
        policies: [
          { ...ci, actions: ["create"] },
          { ...ci, actions: ["delete"], conditions: [{ expression: 'req.referenceType == "digest"' }] },
        ],
      }),
    ],
    [
      "cache-writable",
      "the cache's own pattern",
      withPattern("docker.io/**", { policies: [{ ...ci, actions: ["create"] }] }),
    ],
    [
      "cache-writable",
      "a longer one inside",
      withPattern("docker.io/library/*", { policies: [{ ...ci, actions: ["create"] }] }),
    ],
    [
      "cache-writable",
      "a longer one across",
      withPattern("*/library/*/*/*", { policies: [{ ...ci, actions: ["create"] }] }),
    ],
    [
      "cache-writable",
      "a condition does not help",
      withPattern("docker.io/*/*", {
        policies: [{ ...ci, actions: ["create"], conditions: [{ expression: "true" }] }],
      }),
    ],
    ["no-administrator", "nobody", { ...compiled, adminPolicy: { actions: ["read", "delete"] } }],
    ["no-administrator", "no delete", { ...compiled, adminPolicy: { groups: ["admins"], actions: ["read"] } }],
    ["grant-lost", "a longer pattern that forgets CI", withPattern("team/a/**", READ)],
    ["grant-lost", "a pattern that closes", withPattern("team/secret", { policies: [] })],
    ["tied-patterns", "equal length", withPattern("te??/**", compiled.repositories?.["team/**"] ?? {})],
    ["group-case", "a key", { ...compiled, groups: { Workloads: { users: ["bob"] } } }],
    [
      "group-case",
      "a name unlike the settings'",
      withPattern("x/**", { policies: [{ groups: ["Workloads"], actions: ["read"] }] }),
    ],
    ["group-case", "a pattern", withPattern("Team/**", READ)],
    ["unknown-action", "a word of other registries", withPattern("x/**", { policies: [{ ...ci, actions: ["push"] }] })],
    ["unknown-action", "a misspelling", withPattern("x/**", { ...READ, defaultPolicy: ["reed"] })],
    ["dropped-rule", "an empty rule", withPattern("x/**", {})],
    ["dropped-rule", "keys alike but for case", withPattern("TEAM/**", READ)],
    ["dropped-rule", "no rule at all", {}],
  ])("%s: %s", (lint, _, accessControl) => {
    expect(namesOf(accessControl)).toContain(lint);
  });

  it.each([
    ['req.tagg == "v1"', "reads req.tagg"],
    ["req.user.name == 'bob'", "reads req.user.name"],
    ["tag == 'v1'", "Unknown variable: tag"],
    ["req.tag ==", ""],
    ["req.tag", "not a boolean"],
    ["size(req.tag)", "gives int"],
    ["req.tag.matches('(')", "missing closing )"],
    ["req.tag.matches('(?=v)')", "perl"],
  ])("bad-condition: %s", (expression, what) => {
    const policies = [{ ...ci, actions: ["create"], conditions: [{ expression }] }];
    const findings = lintAccess(configWith(withPattern("x/**", { policies })), RULES);
    const bad = findings.filter(({ lint }) => lint === "bad-condition");
    expect(bad.map((finding) => finding.what.toLowerCase())).toEqual([expect.stringContaining(what.toLowerCase())]);
    expect(bad[0]?.rule).toBe('repositories["x/**"].policies[0].conditions[0]');
  });

  it("let a group delete the tags that may move anyway", () => {
    const conditions = [{ expression: 'req.referenceType == "tag" && req.tag in ["main"]' }];
    const policies = [
      { ...ci, actions: ["create"] },
      { ...ci, actions: ["delete"], conditions },
    ];
    expect(namesOf(withPattern("x/**", { ...READ, policies }))).not.toContain("tag-replace");
  });

  it("find conditions and metrics.anonymousPolicy that the hosts' zot does not know", () => {
    const old = { ...RULES, registry: { ...RULES.registry, version: "2.1.16" } };
    expect(namesOf(compiled, old)).toContain("zot-too-old");
    const later = { ...RULES, registry: { ...RULES.registry, version: "2.1.17" } };
    expect(namesOf(compiled, later)).toContain("zot-too-old");
    expect(namesOf(compileAccess(later), later)).not.toContain("zot-too-old");
  });

  it("note that with dedupe an anonymous HEAD creates repositories, and do not say so at every run", () => {
    const noted = (version: string) => {
      const rules = { ...RULES, registry: { ...RULES.registry, version } };
      return lintAccess(configWith(compiled, true), rules).filter(({ lint }) => lint === "head-creates");
    };
    expect(noted("2.1.20")).toMatchObject([{ severity: "note" }]);
    expect(noted("2.1.21")).toEqual([]);
    expect(requireSound(configWith(compiled, true), RULES)).toEqual([]);
  });

  it("stop an up with which rule, why and what to do", () => {
    const open = withPattern("open/**", { ...READ, anonymousPolicy: ["create"] });
    expect(() => requireSound(configWith(open), RULES)).toThrow(
      /anonymous-write: repositories\["open\/\*\*"\]\.anonymousPolicy: anonymous clients may create; anyone .*\. Keep .*harden-zot:access\.accept: \[anonymous-write\]/,
    );
  });

  it("let pass what is accepted, and that alone", () => {
    const access = { ...RULES.access, accept: ["anonymous-write" as const, "grant-lost" as const] };
    const open = withPattern("open/**", { ...READ, anonymousPolicy: ["create"] });
    expect(requireSound(configWith(open), { ...RULES, access })).toEqual([]);
    const more = withPattern("open/**", { ...READ, anonymousPolicy: ["create", "update"] });
    expect(() => requireSound(configWith(more), { ...RULES, access })).toThrow(
      /^(?!.*anonymous-write).*tag-overwrite/s,
    );
  });
});
