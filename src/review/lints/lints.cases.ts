import { expect } from "vitest";
import { type AccessRules, compileAccess } from "../../config/compile";
import { accessSettings, ciSettings } from "../../settings/access";
import type { AccessControl, RepositoryPolicy, ZotConfig } from "../../zot/types";
import type { Finding, LintName } from "./finding";
import { lintAccess } from "./lints";

export const RULES: AccessRules = {
  access: accessSettings.parse({ admins: { group: "admins" }, tags: { mutable: ["main"], format: "^v\\d+$" } }),
  ci: ciSettings.parse([{ name: "zot-ci", group: "workloads", repositories: ["team/**"] }]),
  registry: {
    version: "2.1.20",
    metrics: "anonymous",
    pullThrough: [{ name: "docker.io", url: "https://registry-1.docker.io", tlsVerify: true }],
  },
};

export const compiled = compileAccess(RULES);
export const READ: RepositoryPolicy = { anonymousPolicy: ["read"], defaultPolicy: ["read"] };

export function configWith(accessControl: AccessControl | undefined, dedupe = false): ZotConfig {
  return {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: "/srv/zot", dedupe },
    http: { address: "127.0.0.1", port: "5000", auth: { apikey: true }, ...(accessControl ? { accessControl } : {}) },
  };
}

/** What the settings come to, and one more rule, as extraConfig may add it. */
export const bare = (pattern: string, policy: RepositoryPolicy): AccessControl => ({
  ...compiled,
  repositories: { ...compiled.repositories, [pattern]: policy },
});

/** The same, so that no grant of the settings is lost by it. */
export const at = (pattern: string, policy: RepositoryPolicy): AccessControl =>
  bare(pattern, {
    ...READ,
    ...policy,
    policies: [...(policy.policies ?? []), ...(compiled.repositories?.["**"]?.policies ?? [])],
  });

/** What CI's group may, while all of the conditions hold. */
export const may = (actions: string | string[], ...conditions: string[]) => ({
  groups: ["workloads"],
  actions: [actions].flat(),
  ...(conditions.length > 0 ? { conditions: conditions.map((expression) => ({ expression })) } : {}),
});

export const line = ({ lint, severity, rule, what }: Finding) => `${severity} ${lint}: ${rule}: ${what}`;
export const foundIn = (accessControl: AccessControl | undefined, rules = RULES) =>
  lintAccess(configWith(accessControl), rules).map(line);

/** Of every lint, where it fires and the nearest neighbour where it does not: everything that is found, in order. */
export const CASES: [LintName, string, AccessControl, string[]][] = [
  [
    "anonymous-write",
    "each write of an anonymousPolicy",
    at("open/**", { ...READ, anonymousPolicy: ["read", "create", "update", "delete"] }),
    [
      'error anonymous-write: repositories["open/**"].anonymousPolicy: anonymous clients may create',
      'error anonymous-write: repositories["open/**"].anonymousPolicy: anonymous clients may update',
      'error anonymous-write: repositories["open/**"].anonymousPolicy: anonymous clients may delete',
      'error tag-overwrite: repositories["open/**"].anonymousPolicy: update without a condition on the tag',
    ],
  ],
  ["anonymous-write", "reading alone", at("open/**", READ), []],
  [
    "everyone-pushes",
    "create in a defaultPolicy",
    at("x/**", { defaultPolicy: ["read", "create"] }),
    ['error everyone-pushes: repositories["x/**"].defaultPolicy: everyone logged in may push'],
  ],
  ["everyone-pushes", "reading alone", at("x/**", READ), []],
  [
    "anonymous-write",
    "the user without a name",
    at("open/**", { policies: [{ users: ["bob", ""], actions: ["read", "create", "delete"] }] }),
    [
      'error anonymous-write: repositories["open/**"].policies[0]: anonymous clients may create',
      'error anonymous-write: repositories["open/**"].policies[0]: anonymous clients may delete',
      'error tag-replace: repositories["open/**"]: user bob may delete a tag and push it anew',
      'error tag-replace: repositories["open/**"]: user  may delete a tag and push it anew',
    ],
  ],
  [
    "anonymous-write",
    "a user with a name",
    at("open/**", { policies: [{ users: ["bob"], actions: ["read", "create"] }] }),
    [],
  ],
  [
    "anonymous-write",
    "the user without a name, reading",
    at("open/**", { policies: [{ users: [""], actions: ["read"] }] }),
    [],
  ],
  [
    "anonymous-write",
    "adminPolicy",
    { ...compiled, adminPolicy: { users: [""], actions: ["read", "delete"] } },
    ["error anonymous-write: adminPolicy: anonymous clients are administrators"],
  ],
  [
    "tag-overwrite",
    "update without a condition, and for whom",
    at("x/**", { policies: [may("read"), { users: ["bob"], groups: ["workloads", "others"], actions: ["update"] }] }),
    [
      'error tag-overwrite: repositories["x/**"].policies[1]: bob, workloads, others may overwrite a tag such as v1.2.3-abcdef0',
    ],
  ],
  ["tag-overwrite", "a policy of nobody", at("x/**", { policies: [{ actions: ["update"] }] }), []],
  [
    "tag-overwrite",
    "update for everyone logged in",
    at("x/**", { defaultPolicy: ["read", "update"] }),
    ['error tag-overwrite: repositories["x/**"].defaultPolicy: update without a condition on the tag'],
  ],
  [
    "tag-overwrite",
    "update for everyone",
    at("x/**", { anonymousPolicy: ["read", "update"] }),
    [
      'error anonymous-write: repositories["x/**"].anonymousPolicy: anonymous clients may update',
      'error tag-overwrite: repositories["x/**"].anonymousPolicy: update without a condition on the tag',
    ],
  ],
  [
    "tag-overwrite",
    "one version among the tags that may move",
    at("x/**", { policies: [may("update", 'req.tag in ["main", "v9.9.9-fffffff"]')] }),
    ['error tag-overwrite: repositories["x/**"].policies[0]: workloads may overwrite a tag such as v9.9.9-fffffff'],
  ],
  ["tag-overwrite", "the tags that may move", at("x/**", { policies: [may("update", 'req.tag in ["main"]')] }), []],
  [
    "tag-overwrite",
    "a digest, which is asked for beside its tags",
    at("x/**", { policies: [may("update", 'req.referenceType == "digest"')] }),
    [],
  ],
  [
    "tag-overwrite",
    "a tag that one of two conditions names",
    at("x/**", { policies: [may("update", 'req.tag == "odd"', 'req.referenceType == "tag"')] }),
    ['error tag-overwrite: repositories["x/**"].policies[0]: workloads may overwrite a tag such as odd'],
  ],
  [
    "tag-overwrite",
    "a tag that another condition refuses",
    at("x/**", { policies: [may("update", 'req.tag == "odd"', 'req.tag in ["main"]')] }),
    [],
  ],
  [
    "tag-overwrite",
    "a tag of v-something alone",
    at("x/**", { policies: [may("update", "req.tag.matches('^v[0-9]')")] }),
    ['error tag-overwrite: repositories["x/**"].policies[0]: workloads may overwrite a tag such as v1.2.3-abcdef0'],
  ],
  [
    "tag-overwrite",
    "numbers alone",
    at("x/**", { policies: [may("update", "req.tag.matches('^[0-9]+[.][0-9]+[.][0-9]+$')")] }),
    ['error tag-overwrite: repositories["x/**"].policies[0]: workloads may overwrite a tag such as 1.2.3'],
  ],
  [
    "tag-overwrite",
    "words alone",
    at("x/**", { policies: [may("update", "req.tag.matches('^[a-z]+-[a-z]+$')")] }),
    ['error tag-overwrite: repositories["x/**"].policies[0]: workloads may overwrite a tag such as some-tag'],
  ],
  [
    "tag-overwrite",
    "a version without a commit alone",
    at("x/**", { policies: [may("update", "req.tag.matches('^v[0-9.]+$')")] }),
    ['error tag-overwrite: repositories["x/**"].policies[0]: workloads may overwrite a tag such as v1.2.3'],
  ],
  [
    "tag-overwrite",
    "for one user alone",
    at("x/**", {
      policies: [{ users: ["bob"], actions: ["update"], conditions: [{ expression: 'req.user.username == "bob"' }] }],
    }),
    ['error tag-overwrite: repositories["x/**"].policies[0]: bob may overwrite a tag such as v1.2.3-abcdef0'],
  ],
  [
    "tag-overwrite",
    "by group, method, action and place",
    at("x/**", {
      policies: [
        may(
          "update",
          '"workloads" in req.user.groups && req.method == "PUT" && req.action == "update" && req.repository.startsWith("x/")',
        ),
      ],
    }),
    ['error tag-overwrite: repositories["x/**"].policies[0]: workloads may overwrite a tag such as v1.2.3-abcdef0'],
  ],
  ...[
    '"others" in req.user.groups',
    "req.repository == 'team/app'",
    "req.user.username == 'zot-ci'",
    "req.client.ip == '10.0.0.1'",
    "req.userAgent == 'ci'",
    "req.tls.enabled",
    "req.time < timestamp('2020-01-01T00:00:00Z')",
    "req.tag.matches('^prod-[0-9]+$')",
    'req.tag in ["main"] || req.repository == "team/app"',
    '!(req.tag in ["v1"])',
  ].map((expression): (typeof CASES)[0] => [
    "tag-overwrite",
    `a condition that another client, hour or tag meets: ${expression}`,
    at("x/**", { policies: [may("update", expression)] }),
    [
      expect.stringMatching(
        /^error tag-overwrite: repositories\["x\/\*\*"\]\.policies\[0\]: workloads may overwrite (tags, by a condition that is not limited to mutable ones|a tag such as [\w.-]+)$/,
      ),
    ],
  ]),
  ...[
    'req.tag in ["main"]',
    '(("main" == req.tag)) && req.client.ip == "10.0.0.1"',
    'req.referenceType == "digest" || req.tag in ["main"]',
    'req.tag in ["main", "v1"] && req.tag in ["main", "v2"]',
    "false",
  ].map((expression): (typeof CASES)[0] => [
    "tag-overwrite",
    `mutable tags alone, by the shape of ${expression}`,
    at("x/**", { policies: [may("update", expression)] }),
    [],
  ]),
  [
    "tag-overwrite",
    "the admins' group, as a warning",
    at("x/**", { policies: [{ groups: ["admins"], actions: ["update"] }] }),
    ['warning tag-overwrite: repositories["x/**"].policies[0]: admins may overwrite a tag such as v1.2.3-abcdef0'],
  ],
  [
    "tag-overwrite",
    "the admins' group and another",
    at("x/**", { policies: [{ groups: ["admins", "others"], actions: ["update"] }] }),
    [
      'error tag-overwrite: repositories["x/**"].policies[0]: admins, others may overwrite a tag such as v1.2.3-abcdef0',
    ],
  ],
  [
    "tag-overwrite",
    "the admins' group and a user",
    at("x/**", { policies: [{ users: ["bob"], groups: ["admins"], actions: ["update"] }] }),
    ['error tag-overwrite: repositories["x/**"].policies[0]: bob, admins may overwrite a tag such as v1.2.3-abcdef0'],
  ],
  [
    "tag-overwrite",
    "break-glass, as a warning",
    { ...compiled, adminPolicy: { groups: ["admins"], actions: ["read", "delete", "update"] } },
    [
      "warning tag-overwrite: adminPolicy: break-glass may overwrite every tag",
      "error cache-writable: adminPolicy: break-glass may update in docker.io/**",
    ],
  ],
  [
    "tag-overwrite",
    "another by adminPolicy, whatever its condition",
    {
      ...compiled,
      adminPolicy: { groups: ["admins"], users: ["zot-ci"], actions: ["update"], conditions: [{ expression: "true" }] },
    },
    [
      "error tag-overwrite: adminPolicy: zot-ci, admins may overwrite a tag such as v1.2.3-abcdef0",
      "error no-administrator: adminPolicy: lacks read and delete",
      "error cache-writable: adminPolicy: break-glass may update in docker.io/**",
    ],
  ],
  [
    "tag-overwrite",
    "break-glass with a condition",
    {
      ...compiled,
      adminPolicy: {
        groups: ["admins"],
        actions: ["read", "delete", "update"],
        conditions: [{ expression: 'req.tag == "main"' }],
      },
    },
    ["error cache-writable: adminPolicy: break-glass may update in docker.io/**"],
  ],
  [
    "tag-replace",
    "create and delete in one policy",
    at("x/**", { policies: [may(["create", "delete"])] }),
    ['error tag-replace: repositories["x/**"]: group workloads may delete a tag and push it anew'],
  ],
  [
    "tag-replace",
    "create and delete in two",
    at("x/**", { policies: [may("create"), may("delete")] }),
    ['error tag-replace: repositories["x/**"]: group workloads may delete a tag and push it anew'],
  ],
  [
    "tag-replace",
    "another group deletes",
    at("x/**", { policies: [may("create"), { groups: ["cleaners"], actions: ["delete"] }] }),
    [],
  ],
  [
    "tag-replace",
    "the admins' group",
    at("x/**", { policies: [{ groups: ["admins"], actions: ["create", "delete"] }] }),
    [],
  ],
  [
    "tag-replace",
    "a user by name",
    at("x/**", { policies: [{ users: ["bob"], actions: ["create", "delete"] }] }),
    ['error tag-replace: repositories["x/**"]: user bob may delete a tag and push it anew'],
  ],
  [
    "tag-replace",
    "create for everyone, delete for one",
    at("x/**", { defaultPolicy: ["read", "create"], policies: [may("delete")] }),
    [
      'error everyone-pushes: repositories["x/**"].defaultPolicy: everyone logged in may push',
      'error tag-replace: repositories["x/**"]: group workloads may delete a tag and push it anew',
    ],
  ],
  [
    "tag-replace",
    "delete for everyone, create for one",
    at("x/**", { defaultPolicy: ["read", "delete"], policies: [may("create")] }),
    ['error tag-replace: repositories["x/**"]: everyone logged in may delete a tag and push it anew'],
  ],
  [
    "tag-replace",
    "both for everyone",
    at("x/**", { defaultPolicy: ["read", "create", "delete"] }),
    [
      'error everyone-pushes: repositories["x/**"].defaultPolicy: everyone logged in may push',
      'error tag-replace: repositories["x/**"]: everyone logged in may delete a tag and push it anew',
    ],
  ],
  [
    "tag-replace",
    "delete for everyone, create for nobody",
    bare("x/**", { ...READ, defaultPolicy: ["read", "delete"] }),
    [
      'error grant-lost: repositories["x/**"]: group admins may not create in x/any, which the settings grant',
      'error grant-lost: repositories["x/**"]: group admins may not update in x/any, which the settings grant',
    ],
  ],
  [
    "tag-replace",
    "create by group, delete by name",
    at("x/**", { policies: [may("create"), { users: ["zot-ci"], actions: ["delete"] }] }),
    ['error tag-replace: repositories["x/**"]: user zot-ci may delete a tag and push it anew'],
  ],
  [
    "tag-replace",
    "create by name, delete by group",
    at("x/**", { policies: [{ users: ["zot-ci"], actions: ["create"] }, may("delete")] }),
    ['error tag-replace: repositories["x/**"]: user zot-ci may delete a tag and push it anew'],
  ],
  [
    "tag-replace",
    "one account both by group and by name",
    at("x/**", { policies: [may(["create", "delete"]), { users: ["zot-ci"], actions: ["delete"] }] }),
    ['error tag-replace: repositories["x/**"]: group workloads may delete a tag and push it anew'],
  ],
  [
    "tag-replace",
    "create by group, delete by another's name",
    at("x/**", { policies: [may("create"), { users: ["bob"], actions: ["delete"] }] }),
    [],
  ],
  [
    "tag-replace",
    "delete by digest alone",
    at("x/**", {
      policies: [
        may("create"),
        may(
          "delete",
          'req.referenceType == "digest" && req.digest.startsWith("sha256:") && req.reference == req.digest && req.tag == "" && req.method == "DELETE" && req.action == "delete"',
        ),
      ],
    }),
    ['error tag-replace: repositories["x/**"]: group workloads may delete a tag and push it anew'],
  ],
  [
    "tag-replace",
    "delete of the tags that may move",
    at("x/**", { policies: [may("create"), may("delete", 'req.referenceType == "tag" && req.tag in ["main"]')] }),
    [],
  ],
  [
    "tag-replace",
    "a condition that no sample meets",
    at("x/**", { policies: [may("create"), may("delete", "req.tag.endsWith('x') && req.auth.admin")] }),
    ['error tag-replace: repositories["x/**"]: group workloads may delete a tag and push it anew'],
  ],
  [
    "tag-replace",
    "mutable tags alone",
    at("x/**", { policies: [may("create"), may("delete", "req.tag == 'main'")] }),
    [],
  ],
  [
    "tag-replace",
    "digests, with all of their tags",
    at("x/**", { policies: [may("create"), may("delete", "req.referenceType == 'digest'")] }),
    ['error tag-replace: repositories["x/**"]: group workloads may delete a tag and push it anew'],
  ],
  [
    "tag-replace",
    "an account that adminPolicy names, and its group pushes",
    { ...compiled, adminPolicy: { groups: ["admins"], users: ["zot-ci"], actions: ["read", "delete"] } },
    ["error tag-replace: adminPolicy: user zot-ci may delete a tag and push it anew"],
  ],
  [
    "tag-replace",
    "somebody whom adminPolicy names and nothing lets push",
    { ...compiled, adminPolicy: { groups: ["admins"], users: ["janitor"], actions: ["read", "delete"] } },
    [],
  ],
  [
    "cache-writable",
    "the cache's own pattern",
    bare("docker.io/**", { policies: [may("create")] }),
    [
      'error cache-writable: repositories["docker.io/**"]: group workloads may push into docker.io/**',
      'error grant-lost: repositories["docker.io/**"]: anonymous clients may not read in docker.io/any, which the settings grant',
      'error grant-lost: repositories["docker.io/**"]: everyone logged in may not read in docker.io/any, which the settings grant',
    ],
  ],
  [
    "cache-writable",
    "update, and everybody",
    bare("docker.io/**", {
      anonymousPolicy: ["create"],
      defaultPolicy: ["create"],
      policies: [may("read"), { users: ["bob"], groups: ["others"], actions: ["create"] }],
    }),
    [
      'error anonymous-write: repositories["docker.io/**"].anonymousPolicy: anonymous clients may create',
      'error everyone-pushes: repositories["docker.io/**"].defaultPolicy: everyone logged in may push',
      'error cache-writable: repositories["docker.io/**"]: anonymous clients may push into docker.io/**',
      'error cache-writable: repositories["docker.io/**"]: everyone logged in may push into docker.io/**',
      'error cache-writable: repositories["docker.io/**"]: user bob may push into docker.io/**',
      'error cache-writable: repositories["docker.io/**"]: group others may push into docker.io/**',
      'error grant-lost: repositories["docker.io/**"]: anonymous clients may not read in docker.io/any, which the settings grant',
      'error grant-lost: repositories["docker.io/**"]: everyone logged in may not read in docker.io/any, which the settings grant',
    ],
  ],
  ["cache-writable", "reading alone", bare("docker.io/**", { ...READ, policies: [may("read")] }), []],
  [
    "cache-writable",
    "a longer pattern inside",
    bare("docker.io/library/*", { ...READ, policies: [may("create")] }),
    ['error cache-writable: repositories["docker.io/library/*"]: group workloads may push into docker.io/**'],
  ],
  [
    "cache-writable",
    "a longer one across",
    bare("*/library/*/*/*", { ...READ, policies: [may("create")] }),
    [
      'error cache-writable: repositories["*/library/*/*/*"]: group workloads may push into docker.io/**',
      'error grant-lost: repositories["*/library/*/*/*"]: group admins may not create in x/library/x/x/x, which the settings grant',
      'error grant-lost: repositories["*/library/*/*/*"]: group admins may not update in x/library/x/x/x, which the settings grant',
      'error grant-lost: repositories["*/library/*/*/*"]: group workloads may not update in team/library/x/x/x, which the settings grant',
      'error grant-lost: repositories["*/library/*/*/*"]: group admins may not create in team/library/x/x/x, which the settings grant',
      'error grant-lost: repositories["*/library/*/*/*"]: group admins may not update in team/library/x/x/x, which the settings grant',
    ],
  ],
  ["cache-writable", "a longer one beside", at("quay.io/library/*", { policies: [may("create")] }), []],
  [
    "cache-writable",
    "whatever the condition",
    bare("docker.io/*/*", { ...READ, policies: [may("create", "false")] }),
    ['error cache-writable: repositories["docker.io/*/*"]: group workloads may push into docker.io/**'],
  ],
  [
    "cache-writable",
    "update of a tag that may move",
    bare("docker.io/*/*", { ...READ, policies: [may("update", 'req.tag in ["main"]')] }),
    ['error cache-writable: repositories["docker.io/*/*"]: group workloads may push into docker.io/**'],
  ],
  [
    "cache-writable",
    "update for everyone",
    bare("docker.io/*/*", { anonymousPolicy: ["read", "update"], defaultPolicy: ["read", "update"] }),
    [
      'error anonymous-write: repositories["docker.io/*/*"].anonymousPolicy: anonymous clients may update',
      'error tag-overwrite: repositories["docker.io/*/*"].defaultPolicy: update without a condition on the tag',
      'error tag-overwrite: repositories["docker.io/*/*"].anonymousPolicy: update without a condition on the tag',
      'error cache-writable: repositories["docker.io/*/*"]: anonymous clients may push into docker.io/**',
      'error cache-writable: repositories["docker.io/*/*"]: everyone logged in may push into docker.io/**',
    ],
  ],
  [
    "cache-writable",
    "break-glass",
    { ...compiled, adminPolicy: { groups: ["admins"], actions: ["read", "delete", "create"] } },
    ["error cache-writable: adminPolicy: break-glass may create in docker.io/**"],
  ],
  [
    "no-administrator",
    "nobody",
    { ...compiled, adminPolicy: { actions: ["read", "delete"] } },
    ["error no-administrator: adminPolicy: names nobody"],
  ],
  [
    "no-administrator",
    "no delete",
    { ...compiled, adminPolicy: { groups: ["admins"], actions: ["read"] } },
    ["error no-administrator: adminPolicy: lacks delete"],
  ],
  [
    "no-administrator",
    "neither",
    { ...compiled, adminPolicy: { groups: ["admins"], actions: [] } },
    ["error no-administrator: adminPolicy: lacks read and delete"],
  ],
  ["no-administrator", "a user", { ...compiled, adminPolicy: { users: ["bob"], actions: ["delete", "read"] } }, []],
  [
    "grant-lost",
    "a longer pattern that forgets CI",
    bare("team/a/**", READ),
    [
      'error grant-lost: repositories["team/a/**"]: group workloads may not create in team/a/any, which the settings grant',
      'error grant-lost: repositories["team/a/**"]: group workloads may not update in team/a/any, which the settings grant',
      'error grant-lost: repositories["team/a/**"]: group admins may not create in team/a/any, which the settings grant',
      'error grant-lost: repositories["team/a/**"]: group admins may not update in team/a/any, which the settings grant',
    ],
  ],
  ["grant-lost", "a longer pattern that restates it", bare("team/a/**", compiled.repositories?.["team/**"] ?? {}), []],
  ["grant-lost", "a longer pattern elsewhere", at("other/a/**", {}), []],
  [
    "grant-lost",
    "a pattern that closes",
    bare("team/secret", { policies: [] }),
    [
      'error grant-lost: repositories["team/secret"]: anonymous clients may not read in team/secret, which the settings grant',
      'error grant-lost: repositories["team/secret"]: everyone logged in may not read in team/secret, which the settings grant',
      'error grant-lost: repositories["team/secret"]: group workloads may not create in team/secret, which the settings grant',
      'error grant-lost: repositories["team/secret"]: group workloads may not update in team/secret, which the settings grant',
      'error grant-lost: repositories["team/secret"]: group admins may not create in team/secret, which the settings grant',
      'error grant-lost: repositories["team/secret"]: group admins may not update in team/secret, which the settings grant',
    ],
  ],
  [
    "grant-lost",
    "another condition",
    bare("team/**", {
      ...READ,
      policies: [
        ...(compiled.repositories?.["team/**"]?.policies ?? []).map((policy) => ({
          ...policy,
          conditions: [...(policy.conditions ?? []), { expression: 'req.tag == "v1"' }],
        })),
      ],
    }),
    [
      'error grant-lost: repositories["team/**"]: group workloads may not create in team/any, which the settings grant',
      'error grant-lost: repositories["team/**"]: group workloads may not update in team/any, which the settings grant',
      'error grant-lost: repositories["team/**"]: group admins may not create in team/any, which the settings grant',
      'error grant-lost: repositories["team/**"]: group admins may not update in team/any, which the settings grant',
    ],
  ],
  [
    "grant-lost",
    "fewer conditions, as far as that goes",
    bare("team/**", {
      ...READ,
      policies: (compiled.repositories?.["team/**"]?.policies ?? []).map(({ conditions, ...policy }) =>
        policy.actions.includes("create") ? policy : { ...policy, ...(conditions ? { conditions } : {}) },
      ),
    }),
    [],
  ],
  [
    "grant-lost",
    "another group",
    bare("team/**", {
      ...READ,
      policies: (compiled.repositories?.["team/**"]?.policies ?? []).map((policy) => ({
        ...policy,
        groups: ["others"],
      })),
    }),
    [
      'error grant-lost: repositories["team/**"]: group workloads may not create in team/any, which the settings grant',
      'error grant-lost: repositories["team/**"]: group workloads may not update in team/any, which the settings grant',
      'error grant-lost: repositories["team/**"]: group admins may not create in team/any, which the settings grant',
      'error grant-lost: repositories["team/**"]: group admins may not update in team/any, which the settings grant',
    ],
  ],
  [
    "grant-lost",
    "given by adminPolicy",
    {
      ...bare("team/**", { ...READ, policies: [] }),
      adminPolicy: { groups: ["admins", "workloads"], actions: ["read", "delete", "create", "update"] },
    },
    [
      "error tag-overwrite: adminPolicy: admins, workloads may overwrite every tag",
      "error tag-replace: adminPolicy: group workloads may delete a tag and push it anew",
      "error cache-writable: adminPolicy: break-glass may create in docker.io/**",
      "error cache-writable: adminPolicy: break-glass may update in docker.io/**",
    ],
  ],
  [
    "tied-patterns",
    "equal length",
    bare("te??/**", compiled.repositories?.["team/**"] ?? {}),
    ['error tied-patterns: repositories["team/**"]: is as long as te??/** and can match the same repository'],
  ],
  ["tied-patterns", "equal length, nothing in common", at("tool/**", READ), []],
  ["tied-patterns", "a byte more", bare("te??*/**", compiled.repositories?.["team/**"] ?? {}), []],
  [
    "group-case",
    "a key of groups",
    { ...compiled, groups: { Workloads: { users: ["bob"] } } },
    ['error group-case: groups["Workloads"]: becomes workloads'],
  ],
  ["group-case", "in lower case", { ...compiled, groups: { workloads: { users: ["bob"] } } }, []],
  [
    "group-case",
    "a name unlike the settings'",
    at("x/**", { policies: [{ groups: ["Workloads", "ADMINS", "Others"], actions: ["read"] }] }),
    [
      'error group-case: repositories["x/**"].policies[0].groups: names Workloads, and the settings workloads',
      'error group-case: repositories["x/**"].policies[0].groups: names ADMINS, and the settings admins',
    ],
  ],
  [
    "group-case",
    "in adminPolicy",
    { ...compiled, adminPolicy: { groups: ["Admins"], actions: ["read", "delete"] } },
    ["error group-case: adminPolicy.groups: names Admins, and the settings admins"],
  ],
  ["group-case", "a pattern", at("Tool/**", READ), ['error group-case: repositories["Tool/**"]: becomes tool/**']],
  [
    "unknown-action",
    "words of other registries",
    at("x/**", { policies: [may(["pull", "push", "Write", "overwrite", "*"])] }),
    [
      'error unknown-action: repositories["x/**"].policies[0].actions: "pull" is no action; read may be meant',
      'error unknown-action: repositories["x/**"].policies[0].actions: "push" is no action; create may be meant',
      'error unknown-action: repositories["x/**"].policies[0].actions: "Write" is no action; create may be meant',
      'error unknown-action: repositories["x/**"].policies[0].actions: "overwrite" is no action; update may be meant',
      'error unknown-action: repositories["x/**"].policies[0].actions: "*" is no action',
    ],
  ],
  [
    "unknown-action",
    "misspellings",
    at("x/**", {
      anonymousPolicy: ["raed"],
      defaultPolicy: ["reed", "deleted", "creates", "updte", "list", "administer"],
    }),
    [
      'error unknown-action: repositories["x/**"].anonymousPolicy: "raed" is no action; read may be meant',
      'error unknown-action: repositories["x/**"].defaultPolicy: "reed" is no action; read may be meant',
      'error unknown-action: repositories["x/**"].defaultPolicy: "deleted" is no action; delete may be meant',
      'error unknown-action: repositories["x/**"].defaultPolicy: "creates" is no action; create may be meant',
      'error unknown-action: repositories["x/**"].defaultPolicy: "updte" is no action; update may be meant',
      'error unknown-action: repositories["x/**"].defaultPolicy: "list" is no action',
      'error unknown-action: repositories["x/**"].defaultPolicy: "administer" is no action',
      'error grant-lost: repositories["x/**"]: anonymous clients may not read in x/any, which the settings grant',
      'error grant-lost: repositories["x/**"]: everyone logged in may not read in x/any, which the settings grant',
    ],
  ],
  [
    "unknown-action",
    "in adminPolicy",
    { ...compiled, adminPolicy: { groups: ["admins"], actions: ["read", "delete", "Delete"] } },
    ['error unknown-action: adminPolicy.actions: "Delete" is no action; delete may be meant'],
  ],
  [
    "unknown-action",
    "every word that zot knows",
    at("x/**", { policies: [may(["read", "create", "detectManifestCollision"])] }),
    [],
  ],
  [
    "dropped-rule",
    "an empty rule",
    bare("x/**", {}),
    ['error dropped-rule: repositories["x/**"]: is empty and is dropped, so that a wider pattern applies'],
  ],
  ["dropped-rule", "an empty list", at("x/**", { policies: [] }), []],
  [
    "dropped-rule",
    "keys alike but for case",
    bare("TEAM/**", READ),
    [
      'error dropped-rule: "TEAM/**": is named twice, in different case',
      'error group-case: repositories["TEAM/**"]: becomes team/**',
      'error grant-lost: repositories["team/**"]: group workloads may not create in team/any, which the settings grant',
      'error grant-lost: repositories["team/**"]: group workloads may not update in team/any, which the settings grant',
      'error grant-lost: repositories["team/**"]: group admins may not create in team/any, which the settings grant',
      'error grant-lost: repositories["team/**"]: group admins may not update in team/any, which the settings grant',
    ],
  ],
  [
    "dropped-rule",
    "groups alike but for case",
    { ...compiled, groups: { devs: { users: ["bob"] }, DEVS: { users: ["eve"] } } },
    ['error dropped-rule: "DEVS": is named twice, in different case', 'error group-case: groups["DEVS"]: becomes devs'],
  ],
  [
    "dropped-rule",
    "no pattern",
    bare("team/[a", READ),
    ['error dropped-rule: repositories["team/[a"]: is not a valid pattern and matches nothing'],
  ],
  [
    "dropped-rule",
    "no rule at all",
    {},
    ["error dropped-rule: accessControl: there is none, so that everyone with credentials may do everything"],
  ],
];
