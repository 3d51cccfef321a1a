import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BINARIES,
  INDEX,
  MANIFEST,
  manifestOf,
  push,
  pushBlob,
  putManifest,
  Scratch,
  sha256,
  Zot,
} from "./zot-harness";

describe.each(BINARIES)("%s: the distribution API", (_, binary) => {
  const scratch = new Scratch();
  let zot: Zot;

  beforeAll(async () => {
    zot = await new Zot(binary, scratch, { storage: {}, http: {} }).start();
  });
  afterAll(async () => {
    await zot?.stop();
    scratch.remove();
  });

  it("pushes a blob in chunks and answers ranges of it", async () => {
    const started = await zot.ask("/v2/chunks/blobs/uploads/", { method: "POST" });
    expect([started.status, started.headers.get("range")]).toEqual([202, "0-0"]);
    const location = started.headers.get("location") as string;
    const chunk = (body: string, range: string) =>
      zot.ask(location, {
        method: "PATCH",
        body,
        headers: { "Content-Range": range, "Content-Type": "application/octet-stream" },
      });
    const first = await chunk("hello ", "0-5");
    expect([first.status, first.headers.get("range")]).toEqual([202, "0-5"]);
    expect((await chunk("early", "3-7")).status).toBe(416);
    const status = await zot.ask(location);
    expect([status.status, status.headers.get("range")]).toEqual([204, "0-5"]);
    const digest = sha256("hello world");
    const wrong = await zot.ask(`${location}?digest=${sha256("x")}`, { method: "PUT", body: "" });
    expect([wrong.status, wrong.json.errors[0].code]).toEqual([400, "DIGEST_INVALID"]);
    expect((await chunk("world", "6-10")).status).toBe(202);
    const finished = await zot.ask(`${location}?digest=${digest}`, { method: "PUT", body: "" });
    expect([finished.status, finished.headers.get("location")]).toEqual([201, `/v2/chunks/blobs/${digest}`]);
    expect((await zot.ask(`/v2/chunks/blobs/${digest}`)).text).toBe("hello world");
    const part = await zot.ask(`/v2/chunks/blobs/${digest}`, { headers: { Range: "bytes=6-8" } });
    expect([part.status, part.text, part.headers.get("content-range")]).toEqual([206, "wor", "bytes 6-8/11"]);
    expect(await zot.status(`/v2/chunks/blobs/${digest}`, { headers: { Range: "bytes=20-30" } })).toBe(416);
    expect(await zot.status(location)).toBe(404);
  });

  it("cancels an upload", async () => {
    const location = (await zot.ask("/v2/chunks/blobs/uploads/", { method: "POST" })).headers.get("location") as string;
    expect(await zot.status(location, { method: "DELETE" })).toBe(204);
    expect(await zot.status(location, { method: "PATCH", body: "x" })).toBe(404);
  });

  it("wants the media type and the digest of a whole blob", async () => {
    const path = `/v2/chunks/blobs/uploads/?digest=${sha256("x")}`;
    const octets = { "Content-Type": "application/octet-stream" };
    expect(await zot.status(path, { method: "POST", body: "x" })).toBe(415);
    expect(await zot.status(path, { method: "POST", body: "y", headers: octets })).toBe(400);
    expect(await zot.status("/v2/chunks/blobs/uploads/?digest=x", { method: "POST", body: "y", headers: octets })).toBe(
      400,
    );
  });

  it("pushes, pulls, moves and deletes tags", async () => {
    const pushed = await push(zot, "apps/web", "v1", "one");
    const digest = sha256(manifestOf("one"));
    expect(pushed.headers.get("docker-content-digest")).toBe(digest);
    expect(pushed.headers.get("location")).toBe(`/v2/apps/web/manifests/${digest}`);
    const pulled = await zot.ask("/v2/apps/web/manifests/v1");
    expect([pulled.text, pulled.headers.get("content-type")]).toEqual([manifestOf("one"), MANIFEST]);
    const head = await zot.ask(`/v2/apps/web/manifests/${digest}`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(manifestOf("one").length)]);
    await push(zot, "apps/web", "v2", "one");
    await push(zot, "apps/web", "latest", "one");
    await push(zot, "apps/web", "latest", "two");
    expect((await zot.ask("/v2/apps/web/manifests/latest")).text).toBe(manifestOf("two"));
    expect((await zot.ask("/v2/apps/web/tags/list")).json).toEqual({ name: "apps/web", tags: ["latest", "v1", "v2"] });
    expect(await zot.status("/v2/apps/web/manifests/v2", { method: "DELETE" })).toBe(202);
    expect(await zot.status(`/v2/apps/web/manifests/${digest}`)).toBe(200);
    expect(await zot.status("/v2/apps/web/manifests/v2", { method: "DELETE" })).toBe(404);
    expect(await zot.status(`/v2/apps/web/manifests/${digest}`, { method: "DELETE" })).toBe(202);
    expect((await zot.ask("/v2/apps/web/tags/list")).json.tags).toEqual(["latest"]);
    expect(await zot.status(`/v2/apps/web/manifests/${digest}`)).toBe(404);
  });

  it("keeps a manifest whose last tag is deleted, drops one whose only tag moves on", async () => {
    await push(zot, "apps/loose", "v1", "one");
    await push(zot, "apps/loose", "v2", "two");
    expect(await zot.status("/v2/apps/loose/manifests/v1", { method: "DELETE" })).toBe(202);
    expect(await zot.status(`/v2/apps/loose/manifests/${sha256(manifestOf("one"))}`)).toBe(200);
    await push(zot, "apps/loose", "v2", "three");
    expect(await zot.status(`/v2/apps/loose/manifests/${sha256(manifestOf("two"))}`)).toBe(404);
  });

  it("pages tags and the catalog", async () => {
    for (const tag of ["a", "b", "c"]) await push(zot, "paged", tag, "one");
    const page = await zot.ask("/v2/paged/tags/list?n=2");
    expect([page.json.tags, page.headers.get("link")]).toEqual([
      ["a", "b"],
      '</v2/paged/tags/list?n=2&last=b>; rel="next"',
    ]);
    const rest = await zot.ask("/v2/paged/tags/list?n=2&last=b");
    expect([rest.json.tags, rest.headers.get("link")]).toEqual([["c"], null]);
    expect((await zot.ask("/v2/paged/tags/list?n=0")).json.tags).toEqual([]);
    expect(await zot.status("/v2/paged/tags/list?n=x")).toBe(400);
    expect(await zot.status("/v2/paged/tags/list?n=-1")).toBe(400);
    expect(await zot.status("/v2/paged/tags/list?last=zz")).toBe(404);
    const all = (await zot.ask("/v2/_catalog")).json.repositories as string[];
    expect((await zot.ask("/v2/_catalog?n=1")).json.repositories).toEqual(all.slice(0, 1));
    expect((await zot.ask(`/v2/_catalog?n=1&last=${all[0]}`)).json.repositories).toEqual(all.slice(1, 2));
  });

  it("tags a push by digest as often as asked", async () => {
    await push(zot, "multi", "seed", "one");
    expect(await zot.status("/v2/multi/manifests/seed", { method: "DELETE" })).toBe(202);
    const digest = sha256(manifestOf("one"));
    const pushed = await putManifest(zot, "multi", `${digest}?tag=x&tag=y`, manifestOf("one"));
    expect([pushed.status, pushed.headers.get("oci-tag")]).toEqual([201, "x, y"]);
    expect((await zot.ask("/v2/multi/tags/list")).json.tags).toEqual(["x", "y"]);
    expect((await putManifest(zot, "multi", "z?tag=w", manifestOf("one"))).status).toBe(400);
    expect((await putManifest(zot, "multi", `${digest}?tag=-bad`, manifestOf("one"))).status).toBe(400);
    expect((await putManifest(zot, "multi", sha256("else"), manifestOf("one"))).status).toBe(400);
  });

  it("refuses a manifest whose blobs are not there, or whose type it does not know", async () => {
    const missing = await putManifest(zot, "multi", "v1", manifestOf("never pushed"));
    expect([missing.status, missing.json.errors[0].code]).toEqual([400, "MANIFEST_INVALID"]);
    expect((await putManifest(zot, "multi", "v1", "{")).status).toBe(400);
    const docker = { "Content-Type": "application/vnd.docker.distribution.manifest.v2+json" };
    const refused = await zot.ask("/v2/multi/manifests/v1", {
      method: "PUT",
      body: manifestOf("one"),
      headers: docker,
    });
    expect([refused.status, refused.json.errors[0].code]).toEqual([415, "MANIFEST_INVALID"]);
    expect((await zot.ask("/v2/multi/manifests/none")).json.errors[0].code).toBe("MANIFEST_UNKNOWN");
    expect((await zot.ask("/v2/none/manifests/none")).json.errors[0].code).toBe("NAME_UNKNOWN");
    expect(await zot.status("/v2/none/manifests/none", { method: "DELETE" })).toBe(400);
    expect(await zot.status("/v2/UPPER/manifests/none")).toBe(404);
  });

  it("lists referrers by type", async () => {
    await push(zot, "signed", "v1", "one");
    const subject = { mediaType: MANIFEST, digest: sha256(manifestOf("one")), size: manifestOf("one").length };
    const artifact = manifestOf("one", { artifactType: "application/test", subject, annotations: { a: "b" } });
    const pushed = await putManifest(zot, "signed", sha256(artifact), artifact);
    expect([pushed.status, pushed.headers.get("oci-subject")]).toEqual([201, subject.digest]);
    const all = await zot.ask(`/v2/signed/referrers/${subject.digest}`);
    expect(all.headers.get("content-type")).toBe(INDEX);
    expect(all.json.manifests).toEqual([
      {
        mediaType: MANIFEST,
        digest: sha256(artifact),
        size: artifact.length,
        artifactType: "application/test",
        annotations: { a: "b" },
      },
    ]);
    const none = await zot.ask(`/v2/signed/referrers/${subject.digest}?artifactType=other`);
    expect([none.json.manifests, none.headers.get("oci-filters-applied")]).toEqual([[], "artifactType"]);
    expect((await zot.ask(`/v2/none/referrers/${subject.digest}`)).json.manifests).toEqual([]);
    expect(await zot.status("/v2/signed/referrers/x")).toBe(400);
  });

  it("protects what an index or a manifest refers to", async () => {
    await push(zot, "multiarch", "amd64", "one");
    const digest = sha256(manifestOf("one"));
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [{ mediaType: MANIFEST, digest, size: manifestOf("one").length }],
    });
    const pushed = await zot.ask("/v2/multiarch/manifests/all", {
      method: "PUT",
      body: index,
      headers: { "Content-Type": INDEX },
    });
    expect(pushed.status).toBe(201);
    expect(await zot.status(`/v2/multiarch/manifests/${digest}`, { method: "DELETE" })).toBe(405);
    expect(await zot.status(`/v2/multiarch/blobs/${sha256("one")}`, { method: "DELETE" })).toBe(405);
    await pushBlob(zot, "multiarch", "unused");
    expect(await zot.status(`/v2/multiarch/blobs/${sha256("unused")}`, { method: "DELETE" })).toBe(202);
    expect(await zot.status(`/v2/multiarch/blobs/${sha256("never")}`, { method: "DELETE" })).toBe(404);
  });

  it("keeps images over a restart", async () => {
    await push(zot, "kept", "v1", "one");
    expect(await zot.stop()).toBe(0);
    await zot.start();
    expect((await zot.ask("/v2/kept/manifests/v1")).text).toBe(manifestOf("one"));
    expect(await zot.stop("SIGHUP")).toBe(0);
    await zot.start();
    expect(await zot.status(`/v2/kept/blobs/${sha256("one")}`)).toBe(200);
  });
});
