import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Ask, BINARIES, MANIFEST, manifestOf, push, Scratch, sha256, Zot } from "./zot-harness";

const digest = sha256(manifestOf("one"));
const blob = sha256("one");

/** Requests of every route, in and out of order, each asked by everybody. */
const REQUESTS: [method: string, path: string][] = [
  ...[
    "/v2",
    "/v2/",
    "/v2/_catalog",
    "/v2/nope",
    "/v2/_oci/ext/discover",
    "/v2/_zot/ext/mgmt",
    "/nope",
    "/login",
    "/x.js",
  ].map((path) => ["GET", path] as [string, string]),
  ...["/livez", "/readyz", "/zot/auth/logout", "/zot/auth/login?provider=oidc"].map(
    (path) => ["GET", path] as [string, string],
  ),
  ["POST", "/v2/"],
  ["POST", "/livez"],
  ["POST", "/metrics"],
  ["POST", "/v2/_zot/ext/mgmt"],
  ["POST", "/zot/auth/logout"],
  ["OPTIONS", "/v2/"],
  ["OPTIONS", "/v2/apps/web/tags/list"],
  ["GET", "/zot/auth/apikey"],
  ["GET", "/v2/apps/web/tags/list"],
  ["GET", "/v2/apps//web/tags/list"],
  ["GET", "/v2/none/tags/list"],
  ["GET", "/v2/private/x/tags/list"],
  ["GET", "/v2/apps/web/manifests/v1"],
  ["HEAD", "/v2/apps/web/manifests/v1"],
  ["GET", "/v2/apps/web/manifests/v9"],
  ["HEAD", "/v2/apps/web/manifests/v9"],
  ["GET", `/v2/apps/web/manifests/${digest}`],
  ["GET", "/v2/apps/web/manifests/sha256:abc"],
  ["GET", "/v2/private/x/manifests/v1"],
  ["POST", "/v2/apps/web/manifests/v1"],
  ["PUT", "/v2/apps/web/manifests/v1"],
  ["PUT", "/v2/apps/web/manifests/v1?tag=x"],
  ["PUT", "/v2/private/x/manifests/v1"],
  ["DELETE", "/v2/private/x/manifests/v1"],
  ["DELETE", "/v2/none/manifests/v1"],
  ["GET", `/v2/apps/web/blobs/${blob}`],
  ["HEAD", `/v2/apps/web/blobs/${blob}`],
  ["GET", `/v2/none/blobs/${sha256("nowhere")}`],
  ["GET", "/v2/apps/web/blobs/sha256:abc"],
  ["DELETE", "/v2/apps/web/blobs/sha256:abc"],
  ["GET", "/v2/apps/web/blobs/uploads/"],
  ["GET", "/v2/apps/web/blobs/uploads/nope"],
  ["PATCH", "/v2/apps/web/blobs/uploads/nope"],
  ["POST", "/v2/apps/web/blobs/uploads"],
  ["POST", "/v2/apps/web/blobs/uploads/"],
  ["POST", "/v2/apps/web/blobs/uploads/?from=x"],
  ["POST", "/v2/apps/web/blobs/uploads/?mount=x"],
  ["GET", `/v2/apps/web/referrers/${digest}`],
];

const HEADERS = [
  "accept-ranges",
  "access-control-allow-origin",
  "content-length",
  "content-type",
  "docker-content-digest",
  "docker-distribution-api-version",
  "link",
  "location",
  "range",
  "www-authenticate",
  "x-content-type-options",
];

/** An answer without what differs from run to run, and without pages, versions and how a later zot spells its challenge. */
function comparable(answer: Answer): object {
  const plain = (value = "") =>
    value.replace(/[0-9a-f-]{36}/, "session").replace(/^basic realm=lab$/, 'Basic realm="lab"');
  const headers = HEADERS.map((name) => [name, plain(answer.headers.get(name) ?? undefined)] as const);
  const own = answer.headers.get("content-type")?.includes("html") || "commit" in (Object(answer.json) as object);
  const linked = /(?<=project-zot\/zot\/blob\/)[^/]+/;
  return {
    status: answer.status,
    headers: Object.fromEntries(
      headers.filter(([name]) => name !== "content-length" || !(own || linked.test(answer.text))),
    ),
    body: own ? "" : answer.text.replace(linked, "release"),
  };
}

// Two registries answer the same question: where there is a real one, it is the measure.
describe.skipIf(BINARIES.length < 2)("the stand-in next to the real zot", () => {
  const scratches = BINARIES.map(() => new Scratch());
  let zots: Zot[] = [];

  beforeAll(async () => {
    zots = await Promise.all(
      BINARIES.map(async ([, binary], index) => {
        const scratch = scratches[index] as Scratch;
        const accessControl = {
          repositories: {
            "**": {
              anonymousPolicy: ["read"],
              defaultPolicy: ["read"],
              policies: [{ users: ["ci"], actions: ["read", "create", "update", "delete"] }],
            },
            "private/**": { policies: [{ users: ["ci"], actions: ["read", "create"] }] },
          },
        };
        const auth = { apikey: true, htpasswd: { path: scratch.htpasswd("ci", "bob") } };
        const extensions = { search: { enable: true }, ui: { enable: true }, metrics: { enable: true } };
        const zot = await new Zot(binary, scratch, {
          storage: {},
          http: { realm: "lab", auth, accessControl },
          extensions,
        }).start();
        await push(zot, "apps/web", "v1", "one", "ci");
        await push(zot, "private/x", "v1", "secret", "ci");
        return zot;
      }),
    );
  });
  afterAll(async () => {
    await Promise.all(zots.map((zot) => zot.stop()));
    scratches.forEach((scratch) => {
      scratch.remove();
    });
  });

  describe.each([undefined, "bob", "ci", "ci:wrong"])("asked by %s", (as) => {
    it.each(REQUESTS)("%s %s", async (method, path) => {
      const ask: Ask = { method, ...(as === undefined ? {} : { as }) };
      if (method === "PUT") {
        ask.body = manifestOf("one");
        ask.headers = { "Content-Type": MANIFEST };
      }
      const [standIn, real] = await Promise.all(zots.map((zot) => zot.ask(path, ask)));
      expect(comparable(standIn as Answer)).toEqual(comparable(real as Answer));
    });
  });
});
