import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { basicAuth, type Headers, pullManifest, pushImage } from "../../sandbox/distribution";
import { findZot } from "../../sandbox/parts";
import { stopDaemon } from "../../sandbox/process";
import { type Registry, type Sandbox, startSandbox } from "../../sandbox/sandbox";
import { type Services, startServices } from "../../sandbox/scale-out/services";
import type { Fetch } from "../../src/http/http";
import type { RawSettings } from "../../src/settings/settings";
import { tinyImage } from "../../src/verify/image";

const UI = { "x-zot-api-client": "zot-ui" };

/** zot's S3 client finds its keys in the environment of the service, which is the sandbox's zot itself. */
function giveCredentials({ host }: Registry, credentials: Record<string, string>): void {
  const [first, ...rest] = readFileSync(host.zot, "utf8").split("\n");
  const exports = Object.entries(credentials).map(([name, value]) => `export ${name}=${value}`);
  writeFileSync(host.zot, [first, ...exports, ...rest].join("\n"));
}

// The stand-in of zot knows neither redis nor S3.
describe.skipIf(findZot().kind !== "real")("two hosts as one registry: zot's cluster, S3 and redis", () => {
  let sandbox: Sandbox;
  let services: Services;
  let session: { username: string; fetch: Fetch };
  let key: Headers;

  const urls = () => sandbox.registries.map(({ url }) => url) as [string, string];

  function scaledOut(): RawSettings {
    const settings = sandbox.settings();
    const members = sandbox.registries.map(({ port }) => `127.0.0.1:${port}`);
    const { redis, s3 } = services;
    const scaleOut = { cluster: { members, hashKey: "0123456789abcdef" }, s3, redis };
    Object.assign(settings["harden-zot:registry"] as object, { scaleOut });
    return settings;
  }

  beforeAll(async () => {
    sandbox = await startSandbox(() => {}, 2);
    services = await startServices(join(sandbox.directory, "services"), () => {});
    for (const registry of sandbox.registries) giveCredentials(registry, services.credentials);
    sandbox.stack.configure(scaledOut());
    const { code, output } = await sandbox.stack.up();
    expect(code, output).toBe(0);
  });
  afterAll(async () => {
    await sandbox?.stop();
    for (const daemon of services?.daemons ?? []) await stopDaemon(daemon);
  });

  it("a session of one is a session of the other", async () => {
    session = await sandbox.adminSession();
    for (const url of urls()) {
      const answer = await session.fetch(`${url}/zot/auth/apikey`, { headers: UI });
      expect([url, answer.status]).toEqual([url, 200]);
    }
  });

  it("a key minted on one works on the other, and a wrong one does not", async () => {
    const [first, second] = urls();
    const minted = await session.fetch(`${first}/zot/auth/apikey`, {
      method: "POST",
      headers: { ...UI, "content-type": "application/json" },
      body: JSON.stringify({ label: "test", scopes: [] }),
    });
    expect(minted.status).toBe(201);
    const { apiKey } = (await minted.json()) as { apiKey: string };
    key = basicAuth(session.username, apiKey);
    const wrong = basicAuth(session.username, `${apiKey.slice(0, -1)}${apiKey.endsWith("0") ? "1" : "0"}`);
    const status = async (headers: Headers) => (await fetch(`${second}/v2/_catalog`, { headers })).status;
    expect([await status(key), await status(wrong)]).toEqual([200, 401]);
  });

  it("loses no tag of those pushed through both at once, and serves each on both", async () => {
    const tags = Array.from({ length: 12 }, (_, index) => `v1.0.${index}-abcdef0`);
    const push = (tag: string, index: number) =>
      pushImage(urls()[index % 2] as string, "team/shared", tag, tinyImage(tag), key);
    const pushed = await Promise.all(tags.map(push));
    expect(pushed.map(({ status }) => status)).toEqual(tags.map(() => 201));
    for (const url of urls()) {
      const { tags: there } = (await (await fetch(`${url}/v2/team/shared/tags/list`)).json()) as { tags: string[] };
      expect(there.sort()).toEqual([...tags].sort());
    }
  });

  it("pulls through the cache on both", async () => {
    const { repository, tag } = sandbox.cached;
    for (const url of urls()) expect((await pullManifest(url, repository, tag)).status).toBe(200);
  });

  it("keeps no session keys on the hosts, and nothing changes the second time", async () => {
    for (const { host } of sandbox.registries) {
      const secrets = readdirSync(join(host.configDirectory, "harden-zot/secrets"));
      expect(secrets).toEqual([expect.stringMatching(/^oidc-credentials-/)]);
    }
    const { code, output } = await sandbox.stack.up("--expect-no-changes");
    expect(code, output).toBe(0);
  });
});
