import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BINARIES,
  isLater,
  MANIFEST,
  manifestOf,
  push,
  pushBlob,
  putManifest,
  Scratch,
  sha256,
  Zot,
} from "./zot-harness";

const DOCKER = { "User-Agent": "docker/27.0.1 go/go1.21 UpstreamClient(Docker-Client/27.0.1 \\(linux\\))" };

describe.each(BINARIES)("%s: answers by who asks", (_, binary) => {
  const later = isLater(binary);
  const scratch = new Scratch();
  let zot: Zot;

  beforeAll(async () => {
    const accessControl = {
      repositories: {
        "**": {
          anonymousPolicy: ["read"],
          defaultPolicy: ["read"],
          policies: [{ users: ["ci"], actions: ["create"] }],
        },
        "private/**": { policies: [{ users: ["ci"], actions: ["read", "create"] }] },
        "rules/**": {
          policies: [
            {
              users: ["ci"],
              actions: ["create"],
              conditions: [{ expression: 'req.referenceType != "tag" || req.tag == "v1"', message: "only v1 here" }],
            },
          ],
        },
      },
      adminPolicy: { users: ["admin"], actions: ["read", "create", "update", "delete"] },
      metrics: { users: ["admin"] },
    };
    zot = await new Zot(binary, scratch, {
      storage: {},
      http: {
        realm: "lab",
        auth: { htpasswd: { path: scratch.htpasswd("ci", "bob", "admin") }, apikey: true },
        accessControl,
      },
      extensions: { search: { enable: true }, ui: { enable: true }, metrics: { enable: true } },
    }).start();
    expect((await push(zot, "private/x", "v1", "secret", "ci")).status).toBe(201);
    expect((await push(zot, "apps/web", "v1", "layer", "ci")).status).toBe(201);
  });
  afterAll(async () => {
    await zot?.stop();
    scratch.remove();
  });

  it.each(["curl/8.0", "containerd/2.0", "podman/5.0", "buildkit/0.12"])(
    "greets %s with a challenge",
    async (agent) => {
      const answer = await zot.ask("/v2/", { headers: { "User-Agent": agent } });
      expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([
        200,
        later ? 'Basic realm="lab"' : "basic realm=lab",
      ]);
      expect(answer.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
    },
  );

  it("tells docker to log in where some need to", async () => {
    const answer = await zot.ask("/v2/", { headers: DOCKER });
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="lab"']);
    expect(await zot.status("/v2/apps/web/manifests/v1", { headers: DOCKER })).toBe(200);
  });

  it("refuses wrong credentials even where anonymous may read", async () => {
    const answer = await zot.ask("/v2/apps/web/manifests/v1", { as: "ci:wrong" });
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ code: "UNAUTHORIZED", message: "authentication required" });
    // Not by combined authentication as of 2026-08-06, which takes another scheme than Basic for none.
    for (const Authorization of ["Bearer x", "Bearer zak_x", "Negotiate x", "Basic", "Basic a b"]) {
      expect(await zot.status("/v2/", { headers: { Authorization } }), Authorization).toBe(later ? 200 : 401);
      expect(await zot.status("/v2/private/x/tags/list", { headers: { Authorization } })).toBe(401);
    }
    expect(await zot.status("/v2/", { headers: { Authorization: "Basic Og==" } })).toBe(200);
  });

  it("refuses an anonymous push with 401 and an unauthorized one with 403", async () => {
    const anonymous = await pushBlob(zot, "apps/web", "other");
    expect(anonymous.status).toBe(401);
    expect(anonymous.json.errors[0].code).toBe("UNAUTHORIZED");
    const bob = await pushBlob(zot, "apps/web", "other", "bob");
    expect([bob.status, bob.headers.get("www-authenticate")]).toEqual([403, 'Basic realm="lab"']);
    expect(bob.json.errors[0]).toMatchObject({
      code: "DENIED",
      message: "requested access to the resource is denied",
    });
  });

  it("passes a condition's message on", async () => {
    expect((await push(zot, "rules/x", "v1", "layer", "ci")).status).toBe(201);
    const denied = await putManifest(zot, "rules/x", "v2", manifestOf("layer"), "ci");
    expect([denied.status, denied.json.errors[0].detail.reason]).toEqual([403, "only v1 here"]);
  });

  it("needs update to push an existing tag, the same digest too", async () => {
    expect((await push(zot, "apps/web", "v1", "layer", "ci")).status).toBe(403);
    expect((await push(zot, "apps/web", "v1", "layer", "admin")).status).toBe(201);
    const byDigest = `${sha256(manifestOf("layer"))}?tag=v1`;
    expect((await putManifest(zot, "apps/web", byDigest, manifestOf("layer"), "ci")).status).toBe(403);
  });

  it("danger: decides before the body comes, so a push begun while a tag is not there overwrites it later", async () => {
    expect((await push(zot, "race", "seed", "mine", "ci")).status).toBe(201);
    expect((await push(zot, "race", "other", "theirs", "ci")).status).toBe(201);
    const body = manifestOf("mine");
    const slow = request(`${zot.url}/v2/race/manifests/v1`, {
      method: "PUT",
      auth: "ci:ci",
      headers: { "Content-Type": MANIFEST, "Content-Length": body.length },
    });
    const answered = new Promise<number | undefined>((done) => {
      slow.on("response", (response) => done(response.resume().statusCode));
    });
    slow.write(body.slice(0, 10));
    await sleep(200);
    expect((await putManifest(zot, "race", "v1", manifestOf("theirs"), "ci")).status).toBe(201);
    expect((await putManifest(zot, "race", "v1", body, "ci")).status).toBe(403);
    slow.end(body.slice(10));
    expect(await answered).toBe(201);
    expect((await zot.ask("/v2/race/manifests/v1")).text).toBe(body);
  });

  it("lists in the catalog what one may read", async () => {
    const listed = async (as?: string) => (await zot.ask("/v2/_catalog", as ? { as } : {})).json.repositories;
    expect(await listed()).toEqual(expect.arrayContaining(["apps/web"]));
    expect(await listed()).not.toContain("private/x");
    expect(await listed("bob")).not.toContain("private/x");
    expect(await listed("ci")).toContain("private/x");
    expect(await listed("admin")).toContain("apps/web");
  });

  it("mounts only a blob one may read, and never tells by HEAD", async () => {
    const secret = sha256("secret");
    const mount = (as: string) =>
      zot.status(`/v2/mounted/${as}/blobs/uploads/?mount=${secret}&from=private/x`, { method: "POST", as });
    expect(await mount("ci")).toBe(201);
    expect(await mount("bob")).toBe(403);
    // The mount put it where bob may read; from zot 2.1.21 on that is no reason to find it elsewhere.
    expect(await zot.status(`/v2/stolen/blobs/${secret}`, { method: "HEAD", as: "bob" })).toBe(later ? 404 : 200);
    expect(await zot.status(`/v2/unknown/blobs/${sha256("nowhere")}`, { method: "HEAD" })).toBe(404);
  });

  it.each([
    ["HEAD", {}, 200],
    ["GET", { Range: "bytes=0-1" }, 206],
  ])("lets a %s %j create a repository while dedupe is on, before zot 2.1.21", async (method, headers, status) => {
    const name = `ghost/${method.toLowerCase()}`;
    const path = `/v2/${name}/blobs/${sha256("layer")}`;
    expect(await zot.status(path)).toBe(404);
    expect(await zot.status(path, { method, headers })).toBe(later ? 404 : status);
    expect((await zot.ask("/v2/_catalog")).json.repositories.includes(name)).toBe(!later);
    expect(await zot.status("/v2/apps/web/blobs/sha256:abc", { method: "HEAD" })).toBe(later ? 400 : 500);
  });

  it.each([
    ["/livez", {}, 200],
    ["/readyz", {}, 200],
    ["/startupz", {}, 200],
    ["/metrics", {}, 401],
    ["/metrics", { as: "ci" }, 403],
    ["/metrics", { as: "admin" }, 200],
    ["/v2/_zot/ext/mgmt", {}, 200],
    ["/v2/_oci/ext/discover", {}, 200],
    ["/", {}, 200],
    ["/login", {}, 200],
    ["/v2/nope/tags/list", {}, 404],
    ["/v2/private/x/tags/list", {}, 401],
    ["/v2/private/x/tags/list", { as: "bob" }, 403],
    ["/v2/apps/web/tags/list", { method: "DELETE" }, 405],
    ["/zot/auth/apikey", { as: "ci" }, 200],
    ["/zot/auth/logout", { method: "POST" }, 200],
  ] as const)("GET %s %j: %i", async (path, ask, status) => {
    expect(await zot.status(path, ask)).toBe(status);
  });

  it("says which ways of logging in there are, and no more", async () => {
    const { json } = await zot.ask("/v2/_zot/ext/mgmt");
    expect(json.http).toEqual({ auth: { htpasswd: {}, apikey: true } });
    expect(json.distSpecVersion).toBe("1.1.1");
  });
});
