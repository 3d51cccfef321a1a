import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../operator/error";
import { lintAccess } from "../review/lints/lints";
import { accessSettings, ciSettings } from "../settings/access";
import { createAuthorizer, type Identity } from "../zot/authorizer";
import { matchPattern } from "../zot/doublestar";
import type { Action, ZotConfig } from "../zot/types";
import { type AccessRules, compileAccess, type Role } from "./compile";

const NAMES = "a b c a/b a/c b/b a/b/c a/b/d c/b a/bc docker.io docker.io/a docker.io/a/b".split(" ");
const PATTERNS =
  "** a/** a/* a/b a/b/** */b a/b* {a,b}/** */** b/** c/* a/?c a a/*/c */b/** {a,c}/{b,bc} a*/** a/**/**".split(" ");
const GROUPS = ["workers", "developers", "cleaners", "guests"];
const MUTABLE = "main";
const GOOD = "v12";
const BAD = "test";

const patterns = fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 });
const grant = fc.record({
  group: fc.constantFrom(...GROUPS),
  repositories: patterns,
  role: fc.constantFrom<Role>("reader", "publisher", "maintainer", "deleter"),
});

const rules: fc.Arbitrary<AccessRules> = fc
  .record({
    grants: fc.array(grant, { maxLength: 5 }),
    accounts: fc.array(grant, { maxLength: 3 }),
    anonymous: fc.constantFrom(["read"], []),
    open: fc.oneof(fc.constant(["**"]), patterns),
    secret: fc.uniqueArray(fc.constantFrom(...PATTERNS.slice(1)), { maxLength: 2 }),
  })
  .map(({ grants, accounts, anonymous, open, secret }) => ({
    access: accessSettings.parse({
      anonymous,
      public: open,
      private: secret,
      admins: { group: "admins" },
      groups: grants,
      tags: { mutable: [MUTABLE], format: "^v\\d+$" },
    }),
    ci: ciSettings.parse(accounts.map((account, index) => ({ name: `ci-${index}`, ...account }))),
    registry: {
      version: "2.1.20",
      metrics: "off" as const,
      pullThrough: [{ name: "docker.io", url: "https://registry-1.docker.io", tlsVerify: true }],
    },
  }));

/** Rules that zot cannot express are refused, and say so. */
function compiledOrSkipped(given: AccessRules) {
  try {
    return compileAccess(given);
  } catch (error) {
    expect(error).toBeInstanceOf(OperatorError);
    return fc.pre(false) as never;
  }
}

function configOf(given: AccessRules): ZotConfig {
  return {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: "/srv/zot", dedupe: false },
    http: { address: "127.0.0.1", port: "5000", auth: { apikey: true }, accessControl: compiledOrSkipped(given) },
  };
}

const member = (group: string): Identity => ({ kind: "user", name: "someone", groups: [group], via: "apikey" });
const matchesAny = (list: readonly string[], name: string) => list.some((pattern) => matchPattern(pattern, name));
const isCached = (name: string) => matchPattern("docker.io/**", name);

/** The union of all grants that match, as if zot added them up. */
function granted({ access, ci }: AccessRules, group: string, action: Action, name: string, tag: string): boolean {
  const roles = new Set(
    [...access.groups, ...ci]
      .filter((one) => one.group === group && matchesAny(one.repositories, name))
      .map(({ role }) => role),
  );
  const pushes = roles.has("publisher") || roles.has("maintainer");
  switch (action) {
    case "read":
      return roles.size > 0 || !matchesAny(access.private, name);
    case "create":
      return !isCached(name) && pushes && tag !== BAD;
    case "update":
      return !isCached(name) && roles.has("maintainer") && tag === MUTABLE;
    case "delete":
      return !isCached(name) && roles.has("deleter");
    default:
      return false;
  }
}

describe("the compiler", () => {
  it("emits no two patterns of equal length that match one repository", () => {
    fc.assert(
      fc.property(rules, (given) => {
        const emitted = Object.keys(compiledOrSkipped(given).repositories ?? {});
        for (const name of NAMES) {
          const lengths = emitted.filter((pattern) => matchPattern(pattern, name)).map((p) => Buffer.byteLength(p));
          expect(new Set(lengths).size).toBe(lengths.length);
        }
      }),
    );
  });

  it("gives every group what its grants add up to, and nothing else", () => {
    fc.assert(
      fc.property(rules, (given) => {
        const authorizer = createAuthorizer(configOf(given));
        for (const repository of NAMES) {
          for (const group of GROUPS) {
            for (const action of ["read", "create", "update", "delete"] as const) {
              for (const reference of [MUTABLE, GOOD, BAD]) {
                const decision = authorizer.can(member(group), { repository, action, reference });
                const expected = granted(given, group, action, repository, reference);
                expect([group, action, repository, reference, decision.allowed]).toEqual([
                  group,
                  action,
                  repository,
                  reference,
                  expected,
                ]);
              }
            }
          }
        }
      }),
    );
  });

  it("lets anonymous clients read what is public and not private, and do nothing else", () => {
    fc.assert(
      fc.property(rules, (given) => {
        const authorizer = createAuthorizer(configOf(given));
        const { anonymous, public: open, private: secret } = given.access;
        for (const repository of NAMES) {
          const may = (action: Action) =>
            authorizer.can({ kind: "anonymous" }, { repository, action, reference: GOOD }).allowed;
          const readable = anonymous.length > 0 && matchesAny(open, repository) && !matchesAny(secret, repository);
          expect([repository, may("read")]).toEqual([repository, readable]);
          expect([may("create"), may("update"), may("delete")]).toEqual([false, false, false]);
        }
      }),
    );
  });

  it("never lets anybody push into a cache, nor overwrite a version tag", () => {
    const everybody: Identity[] = [{ kind: "anonymous" }, ...[...GROUPS, "admins", "strangers"].map(member)];
    fc.assert(
      fc.property(rules, (given) => {
        const authorizer = createAuthorizer(configOf(given));
        for (const identity of everybody) {
          for (const repository of NAMES) {
            const may = (action: Action, reference: string) =>
              authorizer.can(identity, { repository, action, reference }).allowed;
            expect(may("update", GOOD)).toBe(false);
            if (isCached(repository)) {
              expect([may("create", GOOD), may("create", MUTABLE), may("create", ""), may("update", MUTABLE)]).toEqual([
                false,
                false,
                false,
                false,
              ]);
            }
          }
        }
      }),
    );
  });

  it("lets break-glass read and delete everywhere", () => {
    fc.assert(
      fc.property(rules, (given) => {
        const authorizer = createAuthorizer(configOf(given));
        for (const repository of NAMES) {
          expect(authorizer.can(member("admins"), { repository, action: "read" }).allowed).toBe(true);
          expect(authorizer.can(member("admins"), { repository, action: "delete", reference: GOOD }).allowed).toBe(
            true,
          );
        }
      }),
    );
  });

  it("makes nothing that the lints object to, but for a group that may both push and delete", () => {
    fc.assert(
      fc.property(rules, (given) => {
        const errors = lintAccess(configOf(given), given).filter(({ severity }) => severity === "error");
        const pushers = new Set(
          [...given.access.groups, ...given.ci].filter(({ role }) => role !== "deleter").map(({ group }) => group),
        );
        for (const { lint, what } of errors) {
          expect(lint).toBe("tag-replace");
          expect([...pushers].some((group) => what.includes(group))).toBe(true);
        }
      }),
    );
  });

  const rulesWith = (settings: object): AccessRules => ({
    access: accessSettings.parse({ admins: { group: "admins" }, ...settings }),
    ci: [],
    registry: { version: "2.1.20", metrics: "anonymous", pullThrough: [] },
  });

  it("refuses patterns whose common repositories no pattern can name", () => {
    const groups = [
      { group: "a", repositories: ["ab*/**"], role: "reader" },
      { group: "b", repositories: ["*b/**"], role: "reader" },
    ];
    expect(() => compileAccess(rulesWith({ groups }))).toThrow(
      /\*b\/\*\* and ab\*\/\*\*.*overlap|ab\*\/\*\* and \*b\/\*\*.*overlap/,
    );
  });

  it("takes the narrowest tag override, with its own message, and refuses two that are equally narrow", () => {
    const groups = [{ group: "g", repositories: ["team/**"], role: "publisher" }];
    const overrides = [
      { repositories: ["team/**"], format: "^t\\d$", message: "tags of team are t0 to t9" },
      { repositories: ["team/special/**"], format: "^s\\d$" },
    ];
    const repositories = compileAccess(rulesWith({ groups, tags: { overrides } })).repositories ?? {};
    const rule = (pattern: string) => repositories[pattern]?.policies?.[0]?.conditions?.[0];
    expect(rule("team/**")).toMatchObject({ message: "tags of team are t0 to t9" });
    expect(rule("team/special/**")?.expression).toContain("^s\\d$");
    const crossing = [
      { repositories: ["team/*"], mutable: ["a"] },
      { repositories: ["*/x"], mutable: ["b"] },
    ];
    expect(() => compileAccess(rulesWith({ tags: { overrides: crossing } }))).toThrow(/tags\.overrides.*team\/x/);
  });

  it("writes metrics for the zot at hand", () => {
    const { registry, ...rest } = rulesWith({});
    const metricsOf = (version: string) => compileAccess({ ...rest, registry: { ...registry, version } }).metrics;
    expect([metricsOf("2.1.17"), metricsOf("2.1.18")]).toEqual([{ users: [""] }, { anonymousPolicy: ["read"] }]);
  });
});
