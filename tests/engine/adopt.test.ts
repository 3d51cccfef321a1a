import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { basicAuth, type Headers, pullManifest, pushImage } from "../../sandbox/distribution";
import { type Sandbox, startSandbox } from "../../sandbox/sandbox";
import { login, type RegistrySession } from "../../src/credentials/login";
import { tinyImage } from "../../src/verify/image";
import { adoptedSettings, type ByHand, configFile, hardenByHand, undoByHand } from "./by-hand";

const readConfig = (sandbox: Sandbox) => readFileSync(configFile(sandbox), "utf8");

/** One life, in order: each test starts where the one before it ended. */
describe("adopting a registry that was hardened by hand, with the Pulumi engine", () => {
  let sandbox: Sandbox;
  let byHand: ByHand;
  let session: RegistrySession;
  let key: Headers;
  let original: string;

  const digestOf = async (tag: string) => {
    const answer = await pullManifest(sandbox.registryUrl, "team/app", tag);
    expect(answer.status).toBe(200);
    return createHash("sha256")
      .update(Buffer.from(await answer.arrayBuffer()))
      .digest("hex");
  };
  const push = async (tag: string, content: string) =>
    (await pushImage(sandbox.registryUrl, "team/app", tag, tinyImage(content), key)).status;

  beforeAll(async () => {
    sandbox = await startSandbox(() => {});
    byHand = await hardenByHand(sandbox);
    original = readConfig(sandbox);
    session = await login({ registryUrl: sandbox.registryUrl, ...byHand.worker });
    const body = JSON.stringify({ label: "from before", scopes: [] });
    const minted = await session.fetch("zot/auth/apikey", { method: "POST", body });
    expect(minted.status).toBe(201);
    key = basicAuth(session.username, ((await minted.json()) as { apiKey: string }).apiKey);
    expect(await push("v2.0.0-abcdef0", "pushed before")).toBe(201);
  });
  afterAll(async () => {
    await sandbox?.stack.destroy();
    if (byHand) await undoByHand(sandbox, byHand);
    await sandbox?.stop();
  });

  it("plans nothing for what was made by hand in Authentik, and touches nothing", async () => {
    sandbox.stack.configure(adoptedSettings(sandbox));
    const { code, output } = await sandbox.stack.preview();
    expect(code, output).toBe(0);
    expect(output).not.toMatch(/authentik:index:(Group|User)/);
    expect(output).not.toMatch(/to (update|delete|replace)/);
    expect(readConfig(sandbox)).toBe(original);
  });

  it("keeps images and API keys through the first up, and ends sessions", async () => {
    const before = await digestOf("v2.0.0-abcdef0");
    const up = await sandbox.stack.up();
    expect(up.code, up.output).toBe(0);
    expect(readConfig(sandbox)).not.toBe(original);
    expect(await digestOf("v2.0.0-abcdef0")).toBe(before);
    expect(await push("v2.0.1-abcdef0", "pushed after")).toBe(201);
    // The session's cookie was of a process that had made up its own keys.
    expect((await session.fetch("zot/auth/apikey")).status).not.toBe(200);
    const again = await login({ registryUrl: sandbox.registryUrl, ...byHand.worker });
    const { apiKeys } = (await (await again.fetch("zot/auth/apikey")).json()) as { apiKeys: { label: string }[] };
    expect(apiKeys.map(({ label }) => label)).toEqual(["from before"]);
  });

  it("gives the old key's owner the rights that the report foretold", async () => {
    expect(await push("v2.0.0-abcdef0", "another content")).toBe(403);
    const cache = await pushImage(sandbox.registryUrl, "docker.io/team/app", "v1", tinyImage("poison"), key);
    expect(cache.status).toBe(403);
  });

  it("changes nothing the second time", async () => {
    const after = await sandbox.stack.preview("--expect-no-changes");
    expect(after.code, after.output).toBe(0);
  });

  it("destroy puts back the configuration from before, byte for byte, and key and login of before work there", async () => {
    const { code, output } = await sandbox.stack.destroy();
    expect(code, output).toBe(0);
    expect(readConfig(sandbox)).toBe(original);
    expect(await push("v2.0.2-abcdef0", "pushed after destroy")).toBe(201);
    const again = await login({ registryUrl: sandbox.registryUrl, ...byHand.worker });
    expect(again.username).toBe(byHand.worker.username);
  });
});
