import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderConfig, serializeConfig } from "../config/render";
import { OperatorError } from "../operator/error";
import { parseSettings, type RawSettings } from "../settings/settings";
import { createAuthorizer, type Identity } from "../zot/authorizer";
import type { ZotConfig } from "../zot/types";
import { adopt } from "./adopt";
import { readConfig } from "./read";

const NAMES = "a b c a/b a/c b/b a/b/c a/b/d c/b a/bc ghcr.io ghcr.io/a ghcr.io/a/b other/x".split(" ");
const PATTERNS = "** a/** a/* a/b a/b/** */b a/b* {a,b}/** */** b/** c/* a/?c a a/*/c c/b".split(" ");
const GROUPS = ["workers", "developers", "cleaners", "Guests"];
const ROLES = ["reader", "publisher", "maintainer", "deleter"];
const TAGS = ["", "main", "v12", "test", `sha256:${"0".repeat(64)}`];
const ACTIONS = ["read", "create", "update", "delete", "detectManifestCollision"] as const;

const patterns = fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 });
const grant = fc.record({
  group: fc.constantFrom(...GROUPS),
  repositories: patterns,
  role: fc.constantFrom(...ROLES),
});
const tagRules = fc.record(
  {
    mutable: fc.subarray(["main", "latest", "edge"]),
    format: fc.constantFrom("^v\\d+$", "^[0-9a-f]{7}(-nix)?$"),
    message: fc.constant("only numbered tags"),
  },
  { requiredKeys: ["mutable"] },
);
const cache = fc.constantFrom("docker.io", "ghcr.io", "quay.io").map((name) => ({ name, url: `https://${name}` }));

const registry = fc.record(
  {
    externalUrl: fc.constant("https://registry.example.test"),
    version: fc.constant("2.1.20"),
    listen: fc.record({
      address: fc.constantFrom("0.0.0.0", "127.0.0.1", "::1"),
      port: fc.integer({ min: 1, max: 65535 }),
    }),
    storage: fc.record(
      {
        rootDirectory: fc.constant("/srv/zot"),
        gc: fc.boolean(),
        dedupe: fc.boolean(),
        gcDelay: fc.constantFrom("1h", "90m"),
        gcInterval: fc.constantFrom("1h", "24h"),
      },
      { requiredKeys: ["rootDirectory"] },
    ),
    pullThrough: fc.uniqueArray(cache, { selector: ({ name }) => name }),
    compat: fc.constantFrom([], ["docker2s2"]),
    realm: fc.constantFrom("zot", "My registry"),
    logLevel: fc.constantFrom("debug", "info", "warn", "error"),
    metrics: fc.constantFrom("off", "anonymous", { users: ["prometheus"] }),
    search: fc.constantFrom({}, { cve: { updateInterval: "2h" } }),
    ui: fc.boolean(),
    timeouts: fc.constantFrom({}, { read: "5m" }, { read: "90s", write: "2h" }),
    extraConfig: fc.constantFrom({}, { scheduler: { numWorkers: 3 } }, { http: { auth: { failDelay: 2 } } }),
  },
  { requiredKeys: ["externalUrl", "version", "listen", "storage", "search"] },
);

const settings: fc.Arbitrary<RawSettings> = fc
  .record({
    registry,
    anonymous: fc.constantFrom(["read"], []),
    public: fc.oneof(fc.constant(["**"]), patterns),
    private: fc.uniqueArray(fc.constantFrom(...PATTERNS.slice(1)), { maxLength: 2 }),
    groups: fc.array(grant, { maxLength: 4 }),
    ci: fc.array(grant, { maxLength: 2 }),
    tags: tagRules,
    overrides: fc.array(fc.tuple(fc.constantFrom(...PATTERNS), tagRules), { maxLength: 1 }),
  })
  .map(({ registry, ci, tags, overrides, ...access }) => ({
    "authentik:url": "https://authentik.example.test",
    "harden-zot:registry": registry,
    "harden-zot:hosts": [
      {
        address: "host",
        user: "zot",
        hostKey: "ssh-ed25519 AAAA",
        zot: "/opt/zot",
        configDirectory: "/etc/zot",
        service: { manager: "systemd", name: "zot" },
      },
    ],
    "harden-zot:identity": { slug: "registry" },
    "harden-zot:access": {
      ...access,
      admins: { group: "Admins" },
      tags: { ...tags, overrides: overrides.map(([pattern, rules]) => ({ repositories: [pattern], ...rules })) },
    },
    "harden-zot:ci": ci.map((identity, index) => ({ name: `ci-${index}`, ...identity })),
  }));

function rendered(raw: RawSettings): ZotConfig {
  return renderConfig(parseSettings(raw), {
    issuer: "https://authentik.example.test/application/o/registry/",
    credentialsFile: "/etc/zot/credentials.json",
    sessionKeysFile: "/etc/zot/session-keys.json",
  });
}

/** Everything that accessControl says, asked of every kind of identity. */
function decisions(config: ZotConfig): string[] {
  const authorizer = createAuthorizer(config);
  const member = (groups: string[]): Identity => ({ kind: "user", name: "someone", groups, via: "apikey" });
  const people = [
    { kind: "anonymous" } as const,
    member([]),
    member(["Admins"]),
    ...GROUPS.map((group) => member([group])),
  ];
  return people.flatMap((identity) =>
    NAMES.flatMap((repository) =>
      ACTIONS.flatMap((action) =>
        TAGS.map((reference) => {
          const { allowed, ambiguous } = authorizer.can(identity, { repository, action, reference });
          const who = identity.kind === "user" ? identity.groups.join() : identity.kind;
          return `${who} ${action} ${repository}:${reference} ${ambiguous ? "either" : allowed}`;
        }),
      ),
    ),
  );
}

const withoutRules = ({ http: { accessControl, ...http }, ...config }: ZotConfig) => ({
  ...config,
  http: { ...http, accessControl: { metrics: accessControl?.metrics } },
});

describe("adopt, of what the settings render", () => {
  it("finds settings that render to an equivalent configuration", () => {
    let compared = 0;
    fc.assert(
      fc.property(settings, (raw) => {
        const first = accepted(() => rendered(raw));
        const { settings: adopted, accessChanges } = adopt(readConfig(serializeConfig(first), "config.json"));
        const second = rendered(adopted);
        expect(withoutRules(second)).toEqual(withoutRules(first));
        const wanted = decisions(first);
        expect(decisions(second).filter((line, index) => line !== wanted[index])).toEqual([]);
        expect(accessChanges).toEqual([]);
        compared++;
      }),
      { numRuns: 100 },
    );
    expect(compared).toBeGreaterThan(30);
  });
});

/** Settings that contradict themselves, or that zot cannot express, are refused: those are another test's. */
function accepted<Value>(make: () => Value): Value {
  try {
    return make();
  } catch (error) {
    expect(error).toBeInstanceOf(OperatorError);
    return fc.pre(false) as never;
  }
}
