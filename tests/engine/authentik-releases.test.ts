import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../sandbox/people";
import { NAME, type Sandbox, startSandbox } from "../../sandbox/sandbox";
import { login } from "../../src/credentials/login";
import { basic } from "../../src/http/http";
import { adoptedSettings, type ByHand, hardenByHand, undoByHand } from "./by-hand";

// What one release of Authentik does otherwise than another must not be seen: with AUTHENTIK_URL on that server, else on a
// stand-in of each.
const GIVEN = process.env.AUTHENTIK_URL;
const RELEASES = GIVEN ? [GIVEN] : ["2026.2", "2026.5", "2026.8"];

interface Provider {
  pk: number;
  grant_types?: string[];
}

let sandbox: Sandbox;

const client = async (id: string) =>
  (await ask<{ results: Provider[] }>(sandbox.authentik, "GET", `providers/oauth2/?client_id=${id}`))
    .results[0] as Provider;

async function succeeds(run: Promise<{ code: number; output: string }>): Promise<string> {
  const { code, output } = await run;
  expect(code, output).toBe(0);
  return output;
}

/** Nothing left to do, people log in, CI's key is good. */
async function isWell(): Promise<void> {
  await succeeds(sandbox.stack.up("--expect-no-changes"));
  expect((await sandbox.adminSession()).username).toBe(sandbox.admin.username);
  const { ciSecrets } = await sandbox.stack.outputs("--show-secrets");
  for (const [username, { apiKey }] of Object.entries(ciSecrets as Record<string, { apiKey: string }>)) {
    const answer = await fetch(`${sandbox.registryUrl}/v2/`, { headers: { authorization: basic(username, apiKey) } });
    expect(answer.status).toBe(200);
  }
}

/** A key is made by a login of its own. */
async function rotates(rotate: string): Promise<void> {
  const settings = sandbox.settings();
  settings["harden-zot:ci"] = (settings["harden-zot:ci"] as object[]).map((ci) => ({ ...ci, key: { rotate } }));
  sandbox.stack.configure(settings);
  await succeeds(sandbox.stack.up());
  await isWell();
}

interface Resource {
  type: string;
  id: string;
  inputs: { grantTypes?: string[]; allowedRedirectUris: Record<string, string>[]; protocolProvider: number };
  outputs: { providerOauth2Id: string; protocolProvider: number };
}

/**
 * Server and state as a program left them that declared neither grant types nor what the redirect URI is for. Since
 * Authentik takes no empty list, its client is made anew.
 */
async function declaredNone(): Promise<void> {
  const { pk: old, grant_types: _, ...settings } = await client(NAME);
  await ask(sandbox.authentik, "DELETE", `providers/oauth2/${old}/`);
  const { pk } = await ask<Provider>(sandbox.authentik, "POST", "providers/oauth2/", settings);
  await ask(sandbox.authentik, "PATCH", `core/applications/${NAME}/`, { provider: pk });
  await editState((resource) => {
    const { type, inputs, outputs } = resource;
    if (type.endsWith(":ProviderOauth2")) {
      resource.id = outputs.providerOauth2Id = String(pk);
      delete inputs.grantTypes;
      for (const uri of inputs.allowedRedirectUris) delete uri.redirect_uri_type;
    }
    if (type.endsWith(":Application")) inputs.protocolProvider = outputs.protocolProvider = pk;
  });
  await succeeds(sandbox.stack.refresh());
}

async function editState(edit: (resource: Resource) => void): Promise<void> {
  const file = join(sandbox.directory, "state.json");
  await succeeds(sandbox.stack.pulumi(["stack", "export", "--file", file]));
  const state = JSON.parse(readFileSync(file, "utf8")) as { deployment: { resources: Resource[] } };
  state.deployment.resources.forEach(edit);
  writeFileSync(file, JSON.stringify(state));
  await succeeds(sandbox.stack.pulumi(["stack", "import", "--file", file]));
}

describe.each(RELEASES)("Authentik %s", (release) => {
  const version = GIVEN ? undefined : release;
  let knowsGrantTypes: boolean;

  describe("a stack of its own", () => {
    beforeAll(async () => {
      sandbox = await startSandbox(() => {}, 1, version);
    });
    afterAll(() => sandbox?.stop());

    it("is hardened once and for all", async () => {
      await succeeds(sandbox.stack.up());
      const { grant_types } = await client(NAME);
      knowsGrantTypes = grant_types !== undefined;
      expect(grant_types).toEqual(knowsGrantTypes ? ["authorization_code"] : undefined);
      await isWell();
    });

    it("has no change after a refresh either", async () => {
      await succeeds(sandbox.stack.refresh());
      await isWell();
    });

    it("gives grant types to the client of a program that declared none", async () => {
      await declaredNone();
      expect((await client(NAME)).grant_types).toEqual(knowsGrantTypes ? [] : undefined);
      const preview = await succeeds(sandbox.stack.preview());
      if (knowsGrantTypes) {
        expect(preview).toContain(`the client ${NAME} in Authentik has not the grant type authorization_code`);
        expect(preview).toMatch(/~ .*ProviderOauth2 client update \[diff: [+~]grantTypes\]/);
      } else expect(preview).not.toContain("grant type");
      await succeeds(sandbox.stack.up());
      expect((await client(NAME)).grant_types).toEqual(knowsGrantTypes ? ["authorization_code"] : undefined);
      await rotates("after the older program");
    });

    it("gives it back when it was taken by hand", async () => {
      const { pk } = await client(NAME);
      await ask(sandbox.authentik, "PATCH", `providers/oauth2/${pk}/`, { grant_types: ["client_credentials"] });
      const preview = await succeeds(sandbox.stack.preview());
      if (knowsGrantTypes) {
        expect(preview).toContain("the state does not know that it is gone: pulumi up --refresh");
        await expect(sandbox.adminSession()).rejects.toThrow(/OAuth error invalid_request.*: since 2026\.5 it refuses/);
      }
      await succeeds(sandbox.stack.up("--refresh"));
      expect((await client(NAME)).grant_types).toEqual(knowsGrantTypes ? ["authorization_code"] : undefined);
      await rotates("after the hand");
    });

    it("leaves nothing behind", async () => {
      await succeeds(sandbox.stack.destroy());
      expect(await client(NAME)).toBeUndefined();
    });
  });

  describe("a registry that was hardened by hand", () => {
    let byHand: ByHand;
    beforeAll(async () => {
      sandbox = await startSandbox(() => {}, 1, version);
      byHand = await hardenByHand(sandbox);
    });
    afterAll(async () => {
      await sandbox?.stack.destroy();
      if (byHand) await undoByHand(sandbox, byHand);
      await sandbox?.stop();
    });

    it("is adopted once and for all, and its people log in", async () => {
      sandbox.stack.configure(adoptedSettings(sandbox));
      await succeeds(sandbox.stack.up());
      await isWell();
      const { username, password } = byHand.worker;
      expect((await login({ registryUrl: sandbox.registryUrl, username, password })).username).toBe(username);
    });
  });
});

describe.skipIf(GIVEN)("a server that is upgraded under a stack", () => {
  beforeAll(async () => {
    sandbox = await startSandbox(() => {}, 1, "2026.2");
    await succeeds(sandbox.stack.up());
  });
  afterAll(() => sandbox?.stop());

  it.each(["2026.5", "2026.8"])("to %s: no change, and everybody logs in", async (version) => {
    await sandbox.authentik.restart?.(version);
    await isWell();
    await rotates(`on ${version}`);
  });

  it("has no change after a refresh either", async () => {
    await succeeds(sandbox.stack.refresh());
    await isWell();
  });

  it("keeps its grant types through an update of the client", async () => {
    const settings = sandbox.settings();
    Object.assign(settings["harden-zot:identity"] as object, { name: `Renamed ${NAME}` });
    sandbox.stack.configure(settings);
    await succeeds(sandbox.stack.up());
    expect((await client(NAME)).grant_types).toContain("authorization_code");
    await isWell();
  });
});
