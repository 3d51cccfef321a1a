import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Result } from "../../src/verify/check";
import { VERIFICATION } from "../../src/verify/checks";
import type { Outcome } from "../../src/verify/finding";
import { runChecks } from "../../src/verify/run";
import { fixedTags } from "../../src/verify/tags";
import type { ProbeIdentity, Target } from "../../src/verify/target";
import type { AccessControl, Policy, RepositoryPolicy, ZotConfig } from "../../src/zot/types";
import type { Exchange, Lie, Reply } from "./lying-proxy";
import { BINARY_NAME, World } from "./world";

/** A registry that is broken in one way. */
interface Mutation {
  /** The check that has to notice. */
  check: string;
  how: string;
  /** Another configuration of zot, taken up by a reload or by a restart. */
  reload?: Change;
  restart?: Change;
  /** What zot cannot be brought to do: a proxy in front does it. */
  lie?: Lie;
  /** What is known of it differs. */
  target?: (target: Target) => Target;
  /** Makes something happen that the run finds; returns what undoes it. */
  act?: (world: World) => Promise<() => Promise<unknown>>;
  /** Checks that notice too, since it follows. */
  also?: string[];
  outcome?: Outcome;
}

type Guarded = ZotConfig & { http: { accessControl: AccessControl } };
/** @param victim the tag that is attacked by digest */
type Change = (config: Guarded, victim: string) => void;

const PROBE = "harden-zot/probe";

/** The policies of a pattern, which may stand behind an empty alternative. */
function at({ http }: Guarded, pattern: string): RepositoryPolicy & { policies: Policy[] } {
  const repositories = http.accessControl.repositories ?? {};
  const key = Object.keys(repositories).find((name) => name.replace(/^\{,*\}/, "") === pattern) ?? pattern;
  repositories[key] ??= {};
  repositories[key].policies ??= [];
  return repositories[key] as RepositoryPolicy & { policies: Policy[] };
}

const grant = (pattern: string, action: string, expression?: string): Change => {
  const conditions = expression === undefined ? {} : { conditions: [{ expression, message: "broken" }] };
  return (config) => at(config, pattern).policies.push({ groups: ["publishers"], actions: [action], ...conditions });
};

const isBasic = ({ headers }: Exchange) => headers.authorization !== undefined;
const when = (matches: (exchange: Exchange) => boolean, reply: Partial<Reply>): Lie => ({
  request: (exchange) => (matches(exchange) ? reply : undefined),
});
const rewrite = (path: string, change: (reply: Reply) => void): Lie => ({
  reply: (exchange, reply) => {
    if (exchange.path.startsWith(path)) change(reply);
  },
});
const asUser = ({ headers }: Exchange) =>
  Buffer.from(headers.authorization?.split(" ")[1] ?? "", "base64")
    .toString()
    .split(":")[0];
const identities = (target: Target, change: (identity: ProbeIdentity) => Partial<ProbeIdentity>): Target => ({
  ...target,
  identities: target.identities.map((identity) => ({ ...identity, ...change(identity) })),
});
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

const MUTATIONS: Mutation[] = [
  { check: "ready", how: "is not ready", lie: when(({ path }) => path === "/readyz", { status: 503 }) },
  {
    check: "anonymous-catalog",
    how: "shows anonymous a private repository",
    lie: rewrite("/v2/_catalog", (reply) => {
      reply.body = '{"repositories":["team/app","secret/plans"]}';
    }),
  },
  {
    check: "anonymous-pull",
    how: "anonymous may not pull any more",
    reload: (config) => {
      at(config, "team/**").anonymousPolicy = [];
    },
    also: ["access-table"],
  },
  {
    check: "anonymous-pull",
    how: "serves manifests and no blobs",
    lie: when(({ method, path }) => method === "GET" && /^\/v2\/team\/app\/blobs/.test(path), { status: 404 }),
  },
  {
    check: "closed-to-anonymous",
    how: "a private namespace is open",
    reload: (config) => {
      at(config, "secret/**").anonymousPolicy = ["read"];
    },
    also: ["access-table"],
  },
  {
    check: "anonymous-push",
    how: "anonymous may push",
    reload: (config) => {
      at(config, PROBE).anonymousPolicy = ["create"];
    },
    also: ["access-table"],
  },
  {
    check: "wrong-password",
    how: "takes a wrong password for no password",
    lie: {
      request: (exchange) => {
        if (asUser(exchange) === "admin") delete exchange.headers.authorization;
        return undefined;
      },
    },
  },
  {
    check: "issuer",
    how: "the issuer calls itself by another name",
    target: (target) => ({ ...target, issuer: `${target.issuer}/` }),
  },
  {
    check: "oidc-login",
    how: "runs without OpenID",
    lie: when(({ path }) => path.startsWith("/zot/auth/login"), { status: 404 }),
  },
  {
    check: "oidc-login",
    how: "logs in as another client",
    lie: rewrite("/zot/auth/login", (reply) => {
      reply.headers.location = String(reply.headers.location).replace("client_id=zot", "client_id=other");
    }),
  },
  {
    check: "oidc-login",
    how: "sends the login to another issuer",
    lie: rewrite("/zot/auth/login", (reply) => {
      reply.headers.location = String(reply.headers.location).replace(/\/\/[^/]+/, "//evil.test");
    }),
  },
  {
    check: "login-cookies",
    how: "does not know that it is behind TLS",
    restart: (config) => {
      Object.assign(config.http.auth ?? {}, { secureSession: false });
    },
  },
  {
    check: "login-cookies",
    how: "a proxy takes HttpOnly off",
    lie: rewrite("/zot/auth/login", (reply) => {
      reply.headers["set-cookie"] = [reply.headers["set-cookie"] ?? []]
        .flat()
        .map((line) => line.replace(/; ?HttpOnly/i, ""));
    }),
  },
  {
    check: "tls",
    how: "its certificate ends in five days",
    act: async ({ proxy }) => {
      proxy.show("ending");
      return async () => proxy.show("good");
    },
  },
  {
    check: "clock",
    how: "its clock is a minute ahead",
    lie: rewrite("/", (reply) => {
      reply.headers.date = new Date(Date.now() + 60_000).toUTCString();
    }),
  },
  {
    check: "key-works",
    how: "has forgotten a key",
    target: (target) =>
      identities(target, ({ username }) => (username === "ci-main" ? { apiKey: "zak_forgotten" } : {})),
  },
  {
    check: "key-other-user",
    how: "takes a key under any name",
    lie: {
      request: (exchange) => {
        if (/^ci-mainx|^CI-/.test(asUser(exchange) ?? "")) return { status: 200, headers: {}, body: "{}" };
        return undefined;
      },
    },
  },
  {
    check: "key-revoked",
    how: "does not revoke",
    lie: when(({ method, path }) => method === "DELETE" && path.startsWith("/zot/auth/apikey"), { status: 200 }),
  },
  {
    check: "key-anonymous",
    how: "lists keys to anyone",
    lie: when((exchange) => exchange.path === "/zot/auth/apikey" && !isBasic(exchange), {
      status: 200,
      body: '{"apiKeys":[]}',
    }),
  },
  {
    check: "key-anonymous",
    how: "runs without API keys for those who log in",
    lie: when((exchange) => exchange.path === "/zot/auth/apikey" && !isBasic(exchange), { status: 404 }),
  },
  {
    check: "key-expiry",
    how: "a key ends in ten days",
    target: (target) => identities(target, () => ({ expiresAt: inDays(10) })),
  },
  {
    check: "key-expiry",
    how: "a rotation is due",
    target: (target) => identities(target, () => ({ expiresAt: inDays(20) })),
    outcome: "warning",
  },
  {
    check: "key-strays",
    how: "somebody made a key by hand",
    act: async (world) => {
      const { uuid } = await world.mint("ci-pub", "publishers", "just for me");
      const session = await world.session("ci-pub", "publishers");
      return () => session.fetch(`/zot/auth/apikey?id=${uuid}`, { method: "DELETE" });
    },
    outcome: "warning",
  },
  {
    check: "push",
    how: "publishers may not push",
    reload: (config) => {
      const place = at(config, PROBE);
      place.policies = place.policies.filter(({ actions }) => !actions.includes("create"));
    },
    also: ["access-table"],
  },
  { check: "wrong-form", how: "takes tags of any form", reload: grant(PROBE, "create"), also: ["access-table"] },
  {
    check: "overwrite",
    how: "version tags can be overwritten",
    reload: grant(PROBE, "update", 'req.referenceType == "tag" && !(req.tag in ["main","latest"])'),
  },
  {
    check: "overwrite-by-digest",
    how: "a push by digest moves tags",
    reload: (config, victim) =>
      grant(PROBE, "update", `req.referenceType == "digest" || req.tag == "${victim}"`)(config, victim),
  },
  {
    check: "overwrite-mutable",
    how: "a publisher can move latest",
    reload: grant(PROBE, "update", 'req.tag in ["main","latest"]'),
  },
  {
    check: "delete",
    how: "publishers can delete tags",
    reload: grant(PROBE, "delete", 'req.referenceType == "tag"'),
    also: ["access-table"],
  },
  {
    check: "delete-replace",
    how: "publishers can delete digests",
    reload: grant(PROBE, "delete", 'req.referenceType == "digest"'),
  },
  {
    check: "cache-push",
    how: "publishers can push into a cache",
    reload: grant("docker.io/**", "create"),
    also: ["access-table"],
  },
  {
    check: "pull-through",
    how: "does not ask the upstream any more",
    reload: (config) => {
      delete config.extensions?.sync;
    },
    target: (target) => ({
      ...target,
      cached: { "docker.io": { repository: "docker.io/library/alpine", tag: "3.99" } },
    }),
  },
  {
    check: "metrics",
    how: "anonymous gets no metrics",
    reload: (config) => {
      config.http.accessControl.metrics = { users: ["prometheus"] };
    },
  },
  {
    check: "mgmt",
    how: "tells anyone a client secret",
    lie: rewrite("/v2/_zot/ext/mgmt", (reply) => {
      reply.body = reply.body.replace('"name":', '"clientsecret":"s3cret","name":');
    }),
  },
  { check: "zot-version", how: "is older than the settings say", lie: release("v2.1.19") },
  {
    check: "zot-cves",
    how: "has a known weakness",
    lie: release("v2.1.18"),
    target: ({ settings, ...target }) => ({
      ...target,
      settings: { ...settings, registry: { ...settings.registry, version: "2.1.18" } },
    }),
  },
  {
    check: "docker-client",
    how: "a proxy turns docker away, logged in or not",
    lie: when(({ headers }) => /docker/.test(headers["user-agent"] ?? ""), { status: 401 }),
  },
  { check: "access-table", how: "publishers may delete where they push", reload: grant("team/**", "delete") },
  {
    check: "head-creates",
    how: "dedupe is on",
    restart: (config) => {
      config.storage.dedupe = true;
    },
    outcome: "warning",
  },
  {
    check: "mount-unreadable",
    how: "hands out a blob that cannot be read where it is",
    restart: (config) => {
      config.storage.dedupe = true;
      at(config, "harden-zot/probe-sealed").policies.push({ groups: ["publishers"], actions: ["read"] });
    },
    also: ["access-table", "head-creates"],
  },
];

function release(tag: string): Lie {
  return rewrite("/v2/_zot/ext/mgmt", (reply) => {
    reply.body = reply.body.replace(/"releaseTag":"[^"]*"/, `"releaseTag":"${tag}"`);
  });
}

/** Warnings of a registry in order. */
const USUAL = ["docker-client"];

describe(`a registry broken in one way fails the check for it (${BINARY_NAME})`, () => {
  let world: World;
  let victim: string;
  beforeAll(async () => {
    world = await World.start();
    // The second victim is the one that is attacked by digest.
    victim = (await fixedTags(world.settings.access.tags))[1] ?? "";
    MUTATIONS.find(({ check }) => check === "delete");
  });
  afterAll(() => world?.stop());

  it("has a mutation for every check", () => {
    const mutated = new Set(MUTATIONS.map(({ check }) => check));
    expect(VERIFICATION.map(({ id }) => id).filter((id) => !mutated.has(id))).toEqual([]);
  });

  it("passes one in order", async () => {
    const results = await runChecks(VERIFICATION, world.target);
    expect(noticed(results, "failed")).toEqual([]);
    expect(noticed(results, "warning")).toEqual(USUAL);
    expect(noticed(results, "skipped")).toEqual([]);
  });

  it.each(MUTATIONS)(
    "$check: $how",
    async ({ check, act, also = [], lie, outcome = "failed", reload, restart, target }) => {
      if (restart) await world.restart((config) => restart(config, victim));
      if (reload) await world.reload((config) => reload(config, victim));
      world.proxy.lie = lie ?? {};
      const undo = await act?.(world);
      try {
        const results = await runChecks(VERIFICATION, target ? target(world.target) : world.target);
        const alarms = [...noticed(results, "failed"), ...noticed(results, "warning")];
        expect(results.find(({ id }) => id === check)).toMatchObject({
          outcome,
          cause: expect.any(String),
          fix: expect.any(String),
        });
        expect(alarms.filter((id) => id !== check && !also.includes(id) && !USUAL.includes(id))).toEqual([]);
        for (const id of also) expect(alarms).toContain(id);
      } finally {
        world.proxy.lie = {};
        await undo?.();
        if (restart) await world.restart(() => {});
        if (reload) await world.reload(() => {});
      }
    },
  );
});

const noticed = (results: Result[], outcome: Outcome) =>
  results.filter((one) => one.outcome === outcome).map(({ id }) => id);
