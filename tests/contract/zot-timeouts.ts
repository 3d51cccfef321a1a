import { createServer, request as send } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import {
  BINARIES,
  type Config,
  MANIFEST,
  manifestOf,
  push,
  pushBlob,
  putManifest,
  Scratch,
  sha256,
  until,
  Zot,
} from "./zot-harness";

/** ms: the timeout that is to pass, the transfer that takes longer, and what says that it was not cut. */
const SHORT = "1s";
const LONG = "30s";
const SLOW = 2000;

/** More than the sockets' buffers hold. */
const BIG = "x".repeat(48 * 1024 * 1024);

describe.each(BINARIES)("%s: timeouts", (_, binary) => {
  let scratch: Scratch;
  let zot: Zot;

  afterEach(async () => {
    await zot?.stop();
    scratch?.remove();
  });

  async function serve(http: object, more: object = {}): Promise<void> {
    scratch = new Scratch();
    zot = await new Zot(binary, scratch, { storage: {}, http, ...more } as Config).start();
  }

  /** The status, or "cut" when the connection ended without an answer. */
  function sendSlowly(path: string, method: string, body: string, headers: object = {}): Promise<number | "cut"> {
    const pieces = 8;
    const size = Math.ceil(body.length / pieces);
    return new Promise((settle) => {
      const request = send(zot.url + path, { method, headers: { "Content-Length": body.length, ...headers } });
      request.on("response", (response) => settle(response.resume().statusCode as number));
      request.on("error", () => settle("cut"));
      (async () => {
        for (let at = 0; at < body.length && !request.destroyed; at += size) {
          request.write(body.slice(at, at + size));
          await sleep(SLOW / pieces);
        }
        request.end();
      })();
    });
  }

  /** How much of a blob comes to a client that reads nothing for a while. */
  function fetchSlowly(path: string): Promise<number> {
    return new Promise((settle, fail) => {
      const request = send(zot.url + path, (response) => {
        let size = 0;
        response.on("data", (chunk) => {
          size += chunk.length;
        });
        response.on("close", () => settle(size));
        response.on("error", () => settle(size));
        response.pause();
        setTimeout(() => response.resume(), SLOW);
      });
      request.on("error", fail).end();
    });
  }

  it.each([
    // The read timeout ends microseconds before the write timeout: an answer may just get through.
    ["both short", SHORT, SHORT, ["cut", 500], 404, false],
    ["a short write timeout", LONG, SHORT, ["cut"], 204, false],
    ["a short read timeout", SHORT, LONG, [500], 404, true],
    ["neither short", LONG, LONG, [202], 204, true],
  ])(
    "%s: what becomes of a slow upload and of a slow download",
    async (_, readTimeout, writeTimeout, answers, session, whole) => {
      await serve({ readTimeout: LONG, writeTimeout: LONG });
      expect((await pushBlob(zot, "slow", BIG)).status).toBe(201);
      await zot.stop();
      zot.reconfigure({ storage: {}, http: { readTimeout, writeTimeout } });
      await zot.start();
      const begun = await zot.ask("/v2/slow/blobs/uploads/", { method: "POST" });
      const location = begun.headers.get("location") as string;
      const body = "layer".repeat(100);
      const [uploaded, downloaded] = await Promise.all([
        sendSlowly(location, "PATCH", body, { "Content-Type": "application/octet-stream" }),
        fetchSlowly(`/v2/slow/blobs/${sha256(BIG)}`),
      ]);
      expect(answers).toContain(uploaded);
      expect(downloaded === BIG.length).toBe(whole);
      const after = await zot.ask(location);
      expect(after.status).toBe(session);
      // What is there is there whole, whatever its client was told.
      if (session === 204) expect(after.headers.get("range")).toBe(`0-${body.length - 1}`);
    },
  );

  it("does not take them up by a reload", async () => {
    await serve({ readTimeout: LONG, writeTimeout: LONG });
    const begun = await zot.ask("/v2/slow/blobs/uploads/", { method: "POST" });
    await zot.reload({ storage: {}, http: { readTimeout: SHORT, writeTimeout: SHORT } });
    const headers = { "Content-Type": "application/octet-stream" };
    expect(await sendSlowly(begun.headers.get("location") as string, "PATCH", "layer".repeat(100), headers)).toBe(202);
  });

  it("bounds the race for a new tag: a push that is older than the read timeout does not overwrite", async () => {
    scratch = new Scratch();
    const policies = [{ users: ["ci"], actions: ["read", "create"] }];
    zot = await new Zot(binary, scratch, {
      storage: {},
      http: {
        readTimeout: SHORT,
        writeTimeout: LONG,
        auth: { htpasswd: { path: scratch.htpasswd("ci") } },
        accessControl: { repositories: { "**": { policies } } },
      },
    }).start();
    expect((await push(zot, "race", "seed", "mine", "ci")).status).toBe(201);
    expect((await push(zot, "race", "other", "theirs", "ci")).status).toBe(201);
    const authorization = `Basic ${Buffer.from("ci:ci").toString("base64")}`;
    const late = sendSlowly("/v2/race/manifests/v1", "PUT", manifestOf("mine"), {
      "Content-Type": MANIFEST,
      authorization,
    });
    await sleep(SLOW / 4);
    expect((await putManifest(zot, "race", "v1", manifestOf("theirs"), "ci")).status).toBe(201);
    expect(await late).not.toBe(201);
    expect((await zot.ask("/v2/race/manifests/v1", { as: "ci" })).text).toBe(manifestOf("theirs"));
  });

  it.each([
    ["cuts a pull-through that takes longer than an answer may, and keeps what it fetched", SHORT, undefined],
    ["answers a pull-through that takes less", LONG, 200],
  ])("%s", async (_, writeTimeout, status) => {
    const far = new Scratch();
    const upstream = await new Zot(binary, far, { storage: {}, http: {} }).start();
    const relay = createServer(async ({ method = "GET", url = "", headers }, response) => {
      if (url.includes(sha256("slow layer"))) await sleep(SLOW);
      const answer = await fetch(upstream.url + url, { method, headers: { accept: headers.accept ?? "*/*" } });
      const body = Buffer.from(await answer.arrayBuffer());
      const length = answer.headers.get("content-length") ?? String(body.length);
      response.writeHead(answer.status, {
        "content-type": answer.headers.get("content-type") ?? "",
        "docker-content-digest": answer.headers.get("docker-content-digest") ?? "",
        "content-length": length,
      });
      response.end(body);
    });
    try {
      await new Promise<void>((done) => relay.listen(0, "127.0.0.1", done));
      const urls = [`http://127.0.0.1:${(relay.address() as { port: number }).port}`];
      await push(upstream, "library/app", "v1", "slow layer");
      const content = [{ prefix: "**", destination: "/far" }];
      const sync = { registries: [{ urls, onDemand: true, tlsVerify: false, content }] };
      await serve({ readTimeout: LONG, writeTimeout }, { extensions: { sync } });
      const pull = () =>
        zot.ask("/v2/far/library/app/manifests/v1", { headers: { Accept: MANIFEST } }).then(
          (answer) => answer.status,
          () => undefined,
        );
      expect(await pull()).toBe(status);
      await until("the image", async () => (await pull()) === 200, 10_000);
    } finally {
      relay.close();
      await upstream.stop();
      far.remove();
    }
  });
});
