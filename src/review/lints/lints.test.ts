import { describe, expect, it } from "vitest";
import { compileAccess } from "../../config/compile";
import { accessSettings, ciSettings, LINTS } from "../../settings/access";
import type { SyncRegistry } from "../../zot/types";
import { describeFinding, lintAccess, requireSound } from "./lints";
import { at, bare, CASES, compiled, configWith, foundIn, line, may, READ, RULES } from "./lints.cases";

describe("lints", () => {
  it("find nothing in what the compiler makes", () => {
    expect(lintAccess(configWith(compiled), RULES)).toEqual([]);
  });

  it.each(CASES)("%s: %s", (_lint, _, accessControl, findings) => {
    expect(foundIn(accessControl)).toEqual(findings);
  });

  it("have each a case that fires and a neighbour that does not", () => {
    const fires = ([lint, , , findings]: (typeof CASES)[number]) => findings.some((one) => one.includes(` ${lint}: `));
    const elsewhere = ["bad-condition", "zot-too-old", "head-creates", "shared-group"];
    const lints = LINTS.filter((lint) => !elsewhere.includes(lint));
    expect(lints.filter((lint) => !CASES.some((one) => one[0] === lint && fires(one)))).toEqual([]);
    expect(lints.filter((lint) => !CASES.some((one) => one[0] === lint && !fires(one)))).toEqual([]);
  });

  it("give each finding whole, and once", () => {
    const twice = at("x/**", { anonymousPolicy: ["read", "create", "create"] });
    expect(lintAccess(configWith(twice), RULES)).toEqual([
      {
        lint: "anonymous-write",
        severity: "error",
        rule: 'repositories["x/**"].anonymousPolicy',
        what: "anonymous clients may create",
      },
    ]);
  });

  it.each([
    ['req.tagg == "v1"', "reads req.tagg, which does not exist"],
    ["req.user.name == 'bob'", "reads req.user.name, which does not exist"],
    ["tag == 'v1'", expect.stringContaining("Unknown variable: tag")],
    ["req.tag ==", expect.stringMatching(/\S/)],
    ["req.tag", expect.stringContaining("not a boolean")],
    [" req.tag ", expect.stringContaining("not a boolean")],
    ["size(req.tag)", "gives int, not a boolean"],
    ["req.tag.matches('(')", expect.stringContaining("missing closing )")],
    ["req.tag.matches('(?=v)')", expect.stringMatching(/perl/i)],
  ])("bad-condition: %s", (expression, what) => {
    const found = lintAccess(configWith(at("x/**", { policies: [may("create", "true", expression)] })), RULES);
    expect(found).toEqual([
      { lint: "bad-condition", severity: "error", rule: 'repositories["x/**"].policies[0].conditions[1]', what },
    ]);
  });

  it.each([
    "true",
    'req.tag == "v1"',
    "req.auth.admin",
    " req.tls.enabled ",
    "req.claims.ci",
    "req.claims.ci == 'yes'",
  ])("bad-condition: nothing to say of %s", (expression) => {
    expect(foundIn(at("x/**", { policies: [may("create", expression)] }))).toEqual([]);
  });

  it.each<[string, string[]]>([
    [
      "2.1.14",
      [
        'error zot-too-old: repositories["**"].policies[1].conditions: needs zot 2.1.17, and the hosts have 2.1.14',
        "error zot-too-old: metrics.anonymousPolicy: needs zot 2.1.18, and the hosts have 2.1.14",
        "error zot-too-old: accessControl: before 2.1.15 create alone overwrites latest; the hosts have 2.1.14",
      ],
    ],
    [
      "2.1.16",
      [
        'error zot-too-old: repositories["**"].policies[1].conditions: needs zot 2.1.17, and the hosts have 2.1.16',
        "error zot-too-old: metrics.anonymousPolicy: needs zot 2.1.18, and the hosts have 2.1.16",
      ],
    ],
    ["2.1.17", ["error zot-too-old: metrics.anonymousPolicy: needs zot 2.1.18, and the hosts have 2.1.17"]],
    ["2.1.18", []],
  ])("zot-too-old: %s", (version, findings) => {
    const old = { ...RULES, registry: { ...RULES.registry, version } };
    expect(foundIn(compiled, old)).toEqual(findings);
    // What is compiled for that zot says metrics as it knows them.
    const others = findings.filter((one) => !one.includes("metrics.anonymousPolicy"));
    expect(foundIn(compileAccess(old), old)).toEqual(others);
  });

  it.each<[string, object[], string[]]>([
    [
      "other places",
      [{ name: "zot-app", repositories: ["app/**", "a/**"] }],
      [
        "warning shared-group: group workloads: zot-ci (publisher of team/**) and zot-app (publisher of a/**, app/**) have each other's rights",
      ],
    ],
    [
      "another role",
      [{ name: "zot-app", repositories: ["team/**"], role: "reader" }],
      [
        "warning shared-group: group workloads: zot-ci (publisher of team/**) and zot-app (reader of team/**) have each other's rights",
      ],
    ],
    ["the same", [{ name: "zot-app", repositories: ["team/**"] }], []],
    ["another group", [{ name: "zot-app", group: "others", repositories: ["app/**"] }], []],
  ])("shared-group: two of one group, and of %s", (_, more, findings) => {
    const [first] = RULES.ci;
    const ci = ciSettings.parse([
      { name: first?.name, group: first?.group, repositories: first?.repositories },
      ...more.map((one) => ({ group: "workloads", ...one })),
    ]);
    const rules = { ...RULES, ci };
    expect(foundIn(compileAccess(rules), rules)).toEqual(findings);
  });

  it("zot-too-old: says nothing of conditions and metrics where there are none", () => {
    const old = { ...RULES, registry: { ...RULES.registry, metrics: "off" as const, version: "2.1.15" } };
    const access = { ...RULES.access, tags: accessSettings.parse({ admins: { group: "admins" } }).tags };
    const rules = { ...old, access, ci: [] };
    expect(foundIn(compileAccess(rules), rules)).toEqual([]);
  });

  it("note that with dedupe an anonymous HEAD creates repositories, and do not say so at every run", () => {
    const noted = (version: string, dedupe = true, accessControl = compiled) => {
      const rules = { ...RULES, registry: { ...RULES.registry, version } };
      return lintAccess(configWith(accessControl, dedupe), rules);
    };
    expect(noted("2.1.20")).toEqual([
      {
        lint: "head-creates",
        severity: "note",
        rule: 'repositories["**"].anonymousPolicy',
        what: "anonymous clients may read, and storage.dedupe is on",
      },
    ]);
    expect(noted("2.1.21")).toEqual([]);
    expect(noted("2.1.20", false)).toEqual([]);
    const access = { ...RULES.access, anonymous: [] };
    const closed = { ...RULES, access };
    expect(lintAccess(configWith(compileAccess(closed), true), closed)).toEqual([]);
    expect(requireSound(configWith(compiled, true), RULES)).toEqual([]);
  });

  it("look at the caches of extraConfig too, wherever it puts them", () => {
    const registries = [
      {
        urls: ["https://quay.io"],
        onDemand: true,
        content: [{ prefix: "upstream/**" }, { prefix: "**", destination: "/quay.io" }],
      },
      { urls: ["https://ghcr.io"], onDemand: true, content: [{ prefix: "ghcr/**", destination: "/" }] },
      {
        urls: ["https://k8s.io"],
        onDemand: true,
        content: [
          { prefix: "**", destination: "mirrors/k8s" },
          { prefix: "**", destination: "//twice" },
        ],
      },
      { urls: ["https://gcr.io"], onDemand: true },
    ];
    const policies = [may("create")];
    const accessControl = {
      ...compiled,
      repositories: {
        "quay.io/**": { ...READ, policies },
        "ghcr/**": { ...READ, policies },
        "upstream/**": { ...READ, policies },
        "mirrors/k8s/**": { ...READ, policies },
        "twice/**": { ...READ, policies },
        "docker.io/**": READ,
      },
    };
    const config = {
      ...configWith(accessControl),
      extensions: { sync: { enable: true, registries: registries as SyncRegistry[] } },
    };
    const found = lintAccess(config, RULES).filter(({ lint }) => lint === "cache-writable");
    expect(found.map(line)).toEqual(
      ["upstream/**", "quay.io/**", "ghcr/**", "mirrors/k8s/**", "twice/**"].map(
        (cache) => `error cache-writable: repositories["${cache}"]: group workloads may push into ${cache}`,
      ),
    );
  });

  it("take a registry with extensions and no sync for one without caches of its own", () => {
    expect(lintAccess({ ...configWith(compiled), extensions: { search: { enable: true } } }, RULES)).toEqual([]);
  });

  it("stop an up with which rule, why and what to do", () => {
    const open = bare("open/**", { ...READ, anonymousPolicy: ["create"] });
    expect(() => requireSound(configWith(open), RULES)).toThrow(
      /anonymous-write: repositories\["open\/\*\*"\]\.anonymousPolicy: anonymous clients may create; anyone .*\. Keep .*harden-zot:access\.accept: \[anonymous-write\]/,
    );
  });

  it("let pass what is accepted, and that alone", () => {
    const access = { ...RULES.access, accept: ["anonymous-write" as const, "grant-lost" as const] };
    const open = bare("open/**", { ...READ, anonymousPolicy: ["create"] });
    expect(requireSound(configWith(open), { ...RULES, access })).toEqual([]);
    const more = bare("open/**", { ...READ, anonymousPolicy: ["create", "update"] });
    expect(() => requireSound(configWith(more), { ...RULES, access })).toThrow(
      /^(?!.*anonymous-write).*tag-overwrite/s,
    );
  });

  it("show what is no reason to stop", () => {
    const moved = at("x/**", { policies: [{ groups: ["admins"], actions: ["update"] }] });
    expect(requireSound(configWith(moved), RULES).map(describeFinding)).toEqual([
      'tag-overwrite: repositories["x/**"].policies[0]: admins may overwrite a tag such as v1.2.3-abcdef0; a deployment that names this tag would get other content without notice. Grant update only with a condition on the tags that may move (harden-zot:access.tags.mutable), or accept it knowingly with harden-zot:access.accept: [tag-overwrite]',
    ]);
  });

  it("say of every lint why and what to do, in these words", () => {
    const said = LINTS.map((lint) => describeFinding({ lint, severity: "error", rule: "R", what: "W" }));
    expect(said).toMatchInlineSnapshot(`
      [
        "anonymous-write: R: W; anyone who reaches the registry could push into it or empty it. Keep anonymousPolicy at ["read"] and name no user "", or accept it knowingly with harden-zot:access.accept: [anonymous-write]",
        "everyone-pushes: R: W; defaultPolicy is for whoever can log in at all, and is not limited to a group or a form of tags. Grant create to a group (harden-zot:access.groups, harden-zot:ci), or accept it knowingly with harden-zot:access.accept: [everyone-pushes]",
        "shared-group: R: W; zot gives rights to groups, so that each of them has what the other was given. Give each its own group, or accept it knowingly with harden-zot:access.accept: [shared-group]",
        "tag-overwrite: R: W; a deployment that names this tag would get other content without notice. Grant update only with a condition on the tags that may move (harden-zot:access.tags.mutable), or accept it knowingly with harden-zot:access.accept: [tag-overwrite]",
        "tag-replace: R: W; delete followed by create is an overwrite, so the tag is not immutable. Give delete to a group that may not push, or accept it knowingly with harden-zot:access.accept: [tag-replace]",
        "cache-writable: R: W; what is pushed there is served as if it came from upstream. Grant create and update only outside of the cache's namespace, or accept it knowingly with harden-zot:access.accept: [cache-writable]",
        "no-administrator: R: W; a bad push or a leaked image could not be removed by anybody. Let adminPolicy name a group or user with at least the actions "read" and "delete", or accept it knowingly with harden-zot:access.accept: [no-administrator]",
        "grant-lost: R: W; zot applies the longest matching pattern alone, and that one does not restate the grant. Restate the grant there, or say the rule in harden-zot:access instead of extraConfig, or accept it knowingly with harden-zot:access.accept: [grant-lost]",
        "tied-patterns: R: W; of equally long patterns zot takes any one, anew for every request. Make one of them longer: {}team/** is team/** and two bytes longer, or accept it knowingly with harden-zot:access.accept: [tied-patterns]",
        "group-case: R: W; zot lower-cases the keys of its configuration and compares names as they are, so the two never meet. Write the name the same everywhere, and keys in lower case, or accept it knowingly with harden-zot:access.accept: [group-case]",
        "unknown-action: R: W; zot accepts any word and grants nothing for it. Use read, create, update, delete or detectManifestCollision, or accept it knowingly with harden-zot:access.accept: [unknown-action]",
        "bad-condition: R: W; zot refuses to start with it, or skips the policy whenever it cannot be evaluated. Correct the expression; it sees req.tag, req.digest, req.reference, req.referenceType, req.repository, req.action, req.user.username, req.user.groups, req.auth, req.client, req.tls, req.claims, req.method, req.userAgent and req.time, or accept it knowingly with harden-zot:access.accept: [bad-condition]",
        "zot-too-old: R: W; an older zot refuses the configuration, or reads past the rule. Upgrade zot and set harden-zot:registry.version, or accept it knowingly with harden-zot:access.accept: [zot-too-old]",
        "dropped-rule: R: W; zot's loader drops empty objects, and of keys that differ in case alone it keeps any one. Close a pattern with {"policies": []}, and name every key once, or accept it knowingly with harden-zot:access.accept: [dropped-rule]",
        "head-creates: R: W; before zot 2.1.21 a HEAD for a blob that zot knows then creates the repository asked about, also by anonymous clients. Upgrade zot, or set harden-zot:registry.storage.dedupe: false at the price of disk space, or accept it knowingly with harden-zot:access.accept: [head-creates]",
      ]
    `);
  });
});
