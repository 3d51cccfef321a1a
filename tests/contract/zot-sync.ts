import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BINARIES, manifestOf, push, Scratch, sha256, Zot } from "./zot-harness";

describe.each(BINARIES)("%s: pull-through", (_, binary) => {
  const far = new Scratch();
  const near = new Scratch();
  const requests: string[] = [];
  let upstream: Zot;
  let zot: Zot;
  // Between the two, to see what is asked of the upstream.
  const relay = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const answer = await fetch(upstream.url + request.url, {
      method: request.method ?? "GET",
      headers: { accept: request.headers.accept ?? "*/*" },
    }).catch(() => undefined);
    if (!answer) {
      request.socket.destroy();
      return;
    }
    const { "content-length": _length, "content-encoding": _encoding, ...headers } = Object.fromEntries(answer.headers);
    const body = Buffer.from(await answer.arrayBuffer());
    const length = request.method === "HEAD" ? answer.headers.get("content-length") : String(body.length);
    response.writeHead(answer.status, { ...headers, "content-length": length ?? "0" }).end(body);
  });

  beforeAll(async () => {
    await new Promise<void>((done) => relay.listen(0, "127.0.0.1", done));
    const { port } = relay.address() as { port: number };
    upstream = await new Zot(binary, far, { storage: {}, http: {} }).start();
    await push(upstream, "library/app", "v1", "one");
    const accessControl = {
      repositories: {
        "**": { anonymousPolicy: ["read"], policies: [{ users: ["ci"], actions: ["read", "create"] }] },
        "docker.io/**": { anonymousPolicy: ["read"], defaultPolicy: ["read"] },
      },
    };
    zot = await new Zot(binary, near, {
      storage: {},
      http: { auth: { htpasswd: { path: near.htpasswd("ci") } }, accessControl },
      extensions: {
        sync: {
          registries: [
            {
              urls: [`http://127.0.0.1:${port}`],
              onDemand: true,
              tlsVerify: false,
              content: [{ prefix: "**", destination: "/docker.io" }],
            },
          ],
        },
      },
    }).start();
  });
  afterAll(async () => {
    await zot?.stop();
    await upstream?.stop();
    relay.close();
    near.remove();
    far.remove();
  });

  const get = (reference: string) => zot.ask(`/v2/docker.io/library/app/manifests/${reference}`);
  const asked = () => requests.splice(0).filter((request) => request.includes("/library/"));

  it("fetches what it does not have, for anonymous too, and keeps it", async () => {
    const pulled = await get("v1");
    expect([pulled.status, pulled.text]).toEqual([200, manifestOf("one")]);
    expect((await zot.ask(`/v2/docker.io/library/app/blobs/${sha256("one")}`)).text).toBe("one");
    expect((await zot.ask("/v2/_catalog")).json.repositories).toEqual(["docker.io/library/app"]);
    expect(asked()).not.toEqual([]);
  });

  it("asks again for a tag and not for a digest", async () => {
    asked();
    expect((await get(sha256(manifestOf("one")))).status).toBe(200);
    expect(asked()).toEqual([]);
    expect((await get("v1")).status).toBe(200);
    expect(asked()).not.toEqual([]);
  });

  it("follows a tag that moved upstream", async () => {
    await push(upstream, "library/app", "v1", "two");
    expect((await get("v1")).text).toBe(manifestOf("two"));
  });

  it("asks upstream for nothing outside its namespace", async () => {
    asked();
    requests.length = 0;
    expect(await zot.status("/v2/library/app/manifests/v1")).toBe(404);
    expect(await zot.status("/v2/apps/web/manifests/v1")).toBe(404);
    expect(requests).toEqual([]);
  });

  it("has nothing for what the upstream does not have", async () => {
    expect((await get("nope")).status).toBe(404);
  });

  it("takes no push into the namespace from one who may push elsewhere", async () => {
    expect((await push(zot, "apps/web", "v1", "own", "ci")).status).toBe(201);
    expect((await push(zot, "docker.io/library/app", "v9", "poison", "ci")).status).toBe(403);
  });

  it("serves what it has while the upstream is down", async () => {
    await upstream.stop();
    expect((await get("v1")).text).toBe(manifestOf("two"));
    expect((await get("other")).status).toBe(404);
  });
});
