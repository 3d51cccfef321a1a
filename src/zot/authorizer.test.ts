import { describe, expect, it } from "vitest";
import { createAuthorizer, type Identity } from "./authorizer";
import { ConditionError } from "./cel";
import type { RegistryState } from "./state";
import type { AccessControl, ZotConfig } from "./types";

const A = `sha256:${"a".repeat(64)}`;
const BLOB = `sha256:${"b".repeat(64)}`;
const state: RegistryState = new Map([
  [
    "team/app",
    {
      tags: new Map([
        ["main", A],
        ["v1", A],
      ]),
      manifests: new Set([A]),
      blobs: new Set([BLOB]),
    },
  ],
  ["secret/app", { tags: new Map<string, string>(), manifests: new Set<string>(), blobs: new Set([BLOB, A]) }],
]);

type Extra = { auth?: object; dedupe?: boolean; extensions?: object; realm?: string; zot?: string };

const READ = { anonymousPolicy: ["read"], defaultPolicy: ["read"] };
const anonymous: Identity = { kind: "anonymous" };
const key = (name: string, ...groups: string[]): Identity => ({ kind: "user", name, groups, via: "apikey" });
const browser: Identity = { kind: "user", name: "eve", groups: [], via: "session" };

function authorizerFor(
  accessControl: AccessControl | undefined,
  { auth = { apikey: true }, dedupe = false, extensions = {}, realm, zot }: Extra = {},
) {
  const config = {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: "/srv/zot", dedupe },
    http: {
      address: "127.0.0.1",
      port: "5000",
      ...(realm ? { realm } : {}),
      auth,
      ...(accessControl ? { accessControl } : {}),
    },
    extensions,
  };
  return createAuthorizer(config as ZotConfig, {
    now: () => new Date("2026-06-01T00:00:00Z"),
    ...(zot ? { zot } : {}),
  });
}

const get = (path: string, userAgent = "curl/8") => ({ method: "GET", path, userAgent });

describe("what the recordings of zot do not hold", () => {
  it("the key route: a server error for anonymous clients where anything is public, else 401", () => {
    const open = authorizerFor({ repositories: { "**": READ } });
    const closed = authorizerFor({ repositories: { "**": { defaultPolicy: ["read"] } } });
    expect(open.decide(anonymous, get("/zot/auth/apikey"), state)).toMatchObject({ allowed: false, status: 500 });
    expect(closed.decide(anonymous, get("/zot/auth/apikey"), state)).toMatchObject({ allowed: false, status: 401 });
    expect(open.decide(key("ci"), { method: "POST", path: "/zot/auth/apikey" }, state)).toMatchObject({ status: 201 });
    expect(authorizerFor(undefined, { auth: {} }).decide(anonymous, get("/zot/auth/apikey"), state).status).toBe(404);
  });

  it("metrics: for those named, administrators or not, and for anonymous clients by a policy of their own", () => {
    const extensions = { metrics: { enable: true, prometheus: { path: "/metrics" } } };
    const adminPolicy = { users: ["root"], actions: ["read"] };
    const named = authorizerFor(
      { repositories: { "**": READ }, adminPolicy, metrics: { users: ["prom"] } },
      { extensions },
    );
    const statuses = [anonymous, key("prom"), key("root")].map(
      (who) => named.decide(who, get("/metrics"), state).status,
    );
    expect(statuses).toEqual([401, 200, 403]);
    const open = authorizerFor({ metrics: { anonymousPolicy: ["read"] } }, { extensions });
    expect([anonymous, key("x")].map((who) => open.decide(who, get("/metrics"), state).status)).toEqual([200, 403]);
  });

  it("mgmt is open to all but wrong credentials, at exactly its path, and only with search", () => {
    const closed = authorizerFor(
      { repositories: { "**": { defaultPolicy: ["read"] } } },
      { extensions: { search: { enable: true } } },
    );
    const ask = (who: Identity, path: string) => closed.decide(who, get(path), state).status;
    expect(ask(anonymous, "/v2/_zot/ext/mgmt")).toBe(200);
    expect(ask(anonymous, "/v2/_zot/ext/mgmt?resource=config")).toBe(401);
    expect(ask({ kind: "wrong-credentials" }, "/v2/_zot/ext/mgmt")).toBe(401);
    expect(authorizerFor({}).decide(anonymous, get("/v2/_zot/ext/mgmt"), state).status).toBe(404);
  });

  it("health is answered whatever the credentials", () => {
    const closed = authorizerFor({ repositories: { "**": { defaultPolicy: ["read"] } } });
    expect(closed.decide({ kind: "wrong-credentials" }, get("/livez"), state).status).toBe(200);
  });

  it("no challenge goes to a browser that has logged in, the realm to everybody else", () => {
    const { decide } = {
      decide: (who: Identity) =>
        authorizerFor({ repositories: { "**": READ } }, { realm: 'my "zot"' }).decide(
          who,
          { method: "DELETE", path: "/v2/team/app/manifests/main" },
          state,
        ),
    };
    expect(decide(browser).headers).toBeUndefined();
    expect(decide(key("ci")).headers).toEqual({ "WWW-Authenticate": 'Basic realm="my \\"zot\\""' });
  });

  it("a key has the groups of its last login; accessControl.groups serve passwords alone", () => {
    const accessControl = {
      groups: { ops: { users: ["bob"] } },
      repositories: { "**": { policies: [{ groups: ["ops"], actions: ["read"] }] } },
    };
    const authorizer = authorizerFor(accessControl, { auth: { apikey: true, htpasswd: { path: "/x" } } });
    const read = { repository: "team/app", action: "read" } as const;
    expect(authorizer.can(key("bob"), read).allowed).toBe(false);
    expect(authorizer.can(key("eve", "ops"), read).allowed).toBe(true);
    expect(authorizer.can({ kind: "user", name: "bob", groups: [], via: "htpasswd" }, read).allowed).toBe(true);
    expect(authorizer.can({ kind: "user", name: "eve", groups: ["ops"], via: "htpasswd" }, read).allowed).toBe(false);
  });

  it("a mount succeeds only if a readable repository holds the blob, and only with dedupe", () => {
    const rules = {
      repositories: { "team/**": { defaultPolicy: ["read", "create"] }, "secret/**": { defaultPolicy: ["create"] } },
    };
    const mount = (digest: string, dedupe: boolean) =>
      authorizerFor(rules, { dedupe }).decide(
        key("ci"),
        { method: "POST", path: `/v2/team/new/blobs/uploads/?mount=${digest}&from=x` },
        state,
      ).status;
    expect([mount(BLOB, true), mount(A, true), mount(BLOB, false)]).toEqual([201, 202, 202]);
  });

  it("equally long patterns that differ are named; those that agree are not", () => {
    const authorizer = authorizerFor({
      repositories: { "team/*": { defaultPolicy: ["read", "delete"] }, "*/app*": { defaultPolicy: ["read"] } },
    });
    const ask = (method: string) =>
      authorizer.decide(key("ci"), { method, path: "/v2/team/app/manifests/main" }, state);
    expect(ask("GET").ambiguous).toBeUndefined();
    expect(ask("DELETE").ambiguous).toEqual(["team/*", "*/app*"]);
  });

  it("the empty pattern is what holds when no other matches", () => {
    const authorizer = authorizerFor({
      repositories: { "": { defaultPolicy: ["read"] }, "team/**": { policies: [] } },
    });
    const may = (repository: string) => authorizer.can(key("ci"), { repository, action: "read" }).allowed;
    expect([may("team/app"), may("other")]).toEqual([false, true]);
  });

  it("an access control that the loader empties is none: whoever logs in does everything", () => {
    const authorizer = authorizerFor({ repositories: { "**": {} }, adminPolicy: {} } as unknown as AccessControl);
    expect(authorizer.can(key("anybody"), { repository: "team/app", action: "delete" }).allowed).toBe(true);
    expect(authorizer.decide(anonymous, get("/v2/"), state).status).toBe(401);
  });

  it("conditions see the request: time, agent, address", () => {
    const when = (expression: string) =>
      authorizerFor({
        repositories: { "**": { policies: [{ users: ["ci"], actions: ["read"], conditions: [{ expression }] }] } },
      }).decide(
        key("ci"),
        { ...get("/v2/team/app/tags/list", "crane/1"), clientIp: "10.0.0.7", tlsVersion: "1.3" },
        state,
      ).allowed;
    expect(when('req.time < timestamp("2026-06-01T00:00:01Z") && req.time.getMonth() == 5')).toBe(true);
    expect(when('req.userAgent.startsWith("crane/") && req.client.ip == "10.0.0.7" && req.tls.version == "1.3"')).toBe(
      true,
    );
    expect(when("req.auth.admin")).toBe(false);
  });

  it("a condition that does not compile is refused, as zot refuses to start", () => {
    const policies = [{ users: ["ci"], actions: ["read"], conditions: [{ expression: "tag == 1" }] }];
    expect(() => authorizerFor({ repositories: { "**": { policies } } })).toThrow(ConditionError);
  });

  it("a path that is not clean is redirected before anyone is asked who they are", () => {
    const closed = authorizerFor({ repositories: { "**": { policies: [] } } });
    expect(closed.decide(anonymous, get("/v2//team/../secret/app/tags/list?n=1"), state)).toMatchObject({
      status: 301,
      headers: { Location: "/v2/secret/app/tags/list?n=1" },
    });
  });

  it("a repository name no expression engine could choke on is answered at once", () => {
    const started = performance.now();
    authorizerFor({ repositories: { "**": READ } }).decide(
      anonymous,
      get(`/v2/${"a".repeat(5000)}!/manifests/x`),
      state,
    );
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe("what later releases change", () => {
  const repositories = { "**": READ, "secret/**": { policies: [{ users: ["ci"], actions: ["read"] }] } };
  const blob = (method: string, repository: string, digest = BLOB, ranged = false) => ({
    method,
    path: `/v2/${repository}/blobs/${digest}`,
    ranged,
  });

  it.each([
    ["2.1.20", 200, 206, 200, 500],
    ["2.1.21", 404, 404, 200, 400],
    ["2.1.22", 404, 404, 200, 400],
  ])(
    "zot %s: a HEAD or ranged GET of a blob of another repository, one of its own, a digest that is none",
    (zot, ...statuses) => {
      const { decide } = bound({ dedupe: true, zot });
      const asked = [
        blob("HEAD", "any/name"),
        blob("GET", "any/name", BLOB, true),
        blob("HEAD", "team/app"),
        blob("HEAD", "team/app", "sha256:abc"),
      ];
      expect(asked.map((request) => decide(anonymous, request, state).status)).toEqual(statuses);
      // Neither a plain GET nor one without dedupe ever did.
      expect(decide(anonymous, blob("GET", "any/name"), state).status).toBe(404);
      expect(bound({ dedupe: false, zot }).decide(anonymous, blob("HEAD", "any/name"), state).status).toBe(404);
      expect(decide(anonymous, blob("GET", "team/app", BLOB, true), state).status).toBe(206);
    },
  );

  it.each([
    ["2.1.20", "basic realm=lab", "basic realm="],
    ["2.1.22", 'Basic realm="lab"', 'Basic realm="Authorization Required"'],
  ])("zot %s: the challenge of the 200 on /v2/", (zot, named, unnamed) => {
    const challenge = (extra: Extra) => bound(extra).decide(anonymous, get("/v2/"), state).headers;
    expect(challenge({ realm: "lab", zot })).toEqual({ "WWW-Authenticate": named });
    expect(challenge({ zot })).toEqual({ "WWW-Authenticate": unnamed });
  });

  it.each([
    ["2.1.20", 401, 401, 401, 401],
    ["2.1.22", 200, 200, 401, 500],
  ])(
    "zot %s: a header that is not Basic on /v2/, public and private content, and the key route",
    (zot, ...statuses) => {
      const asked = ["/v2/", "/v2/team/app/manifests/v1", "/v2/secret/app/tags/list", "/zot/auth/apikey"].map((path) =>
        get(path),
      );
      const { decide } = bound({ zot });
      expect(asked.map((request) => decide({ kind: "other-scheme" }, request, state).status)).toEqual(statuses);
    },
  );

  function bound(extra: Extra) {
    const authorizer = authorizerFor({ repositories }, extra);
    return { decide: authorizer.decide.bind(authorizer) };
  }
});
