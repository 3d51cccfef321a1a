import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { pushImage } from "../../sandbox/distribution";
import { ask } from "../../sandbox/people";
import { ADMINS, type Sandbox, startSandbox } from "../../sandbox/sandbox";
import { renderAccess } from "../../src/config/render";
import { login } from "../../src/credentials/login";
import type { Fetch } from "../../src/http/http";
import { type AccessRow, accessTable, type What } from "../../src/review/table";
import { parseSettings, type RawSettings } from "../../src/settings/settings";
import { MANIFEST_TYPE, tinyImage } from "../../src/verify/image";
import { createAuthorizer, type Identity } from "../../src/zot/authorizer";
import type { ZotConfig } from "../../src/zot/types";
import { releaseOf } from "../zot-release";

const PROD = parse(readFileSync(resolve(__dirname, "../../Pulumi.prod.yaml"), "utf8")).config;

/** The production stack's rules on the sandbox's registry: only addresses and the admins' group are the sandbox's. */
function productionRules(sandbox: Sandbox): RawSettings {
  const settings = sandbox.settings();
  const registry = settings["harden-zot:registry"] as { pullThrough: { url: string }[] };
  const url = registry.pullThrough[0]?.url;
  const pullThrough = PROD["harden-zot:registry"].pullThrough.map(({ name }: { name: string }) => ({
    name,
    url,
    tlsVerify: false,
  }));
  return {
    ...settings,
    "harden-zot:registry": { ...registry, pullThrough },
    "harden-zot:access": { ...PROD["harden-zot:access"], admins: { group: ADMINS } },
    "harden-zot:ci": PROD["harden-zot:ci"],
  };
}

interface Attempt {
  method: string;
  tag: string;
}

const VERSION = "v1.0.0-aaaaaaa";

/** What is tried for a cell; where the table says "if", at least one must pass and at least one fail. */
const ATTEMPTS: Record<What, (who: string) => Attempt[]> = {
  pull: () => [{ method: "GET", tag: VERSION }],
  push: (who) => [
    { method: "PUT", tag: `v2.0.0-${hex(who)}` },
    { method: "PUT", tag: `wrong-${hex(who)}` },
  ],
  overwrite: () => [
    { method: "PUT", tag: VERSION },
    { method: "PUT", tag: "latest" },
  ],
  delete: (who) => [{ method: "DELETE", tag: `v1.0.1-${hex(who)}` }],
};

const hex = (text: string) => Buffer.from(text).toString("hex").slice(-7);
const repositoryIn = (pattern: string) => pattern.replace("**", pattern === "**" ? "elsewhere/cell" : "cell");

/** Nobody outside of the bound groups gets a session, so that column cannot be tried over OIDC. */
const EVERYONE = "everyone logged in";

describe("the access table of the production stack, cell by cell on the running registry", () => {
  const settings = parseSettings({ ...PROD, "authentik:url": "http://127.0.0.1" } as RawSettings);
  const rules = renderAccess(settings);
  const rows = accessTable(rules, settings).rows.filter(({ who }) => who.label !== EVERYONE);
  const cells = rows.flatMap((row) =>
    (Object.keys(row.cells) as What[]).map((what) => [row.where, row.who.label, what, row] as const),
  );

  let sandbox: Sandbox;
  let config: ZotConfig;
  let release: string;
  let sessions: Record<string, { fetch: Fetch; identity: Identity }>;

  const image = tinyImage("cell");
  const state = () => {
    const tags = [VERSION, "latest", ...rows.map(({ who }) => `v1.0.1-${hex(who.label)}`)];
    const digests = new Map(tags.map((tag) => [tag, image.manifest.digest]));
    const repository = {
      tags: digests,
      manifests: new Set<string>(),
      blobs: new Set(image.blobs.map(({ digest }) => digest)),
    };
    return new Map(rows.map(({ where }) => [repositoryIn(where), repository]));
  };

  beforeAll(async () => {
    sandbox = await startSandbox(() => {});
    for (const [name, { tags }] of state()) {
      for (const tag of tags.keys()) {
        const { status } = await pushImage(sandbox.registryUrl, name, tag, image);
        expect(status).toBe(201);
      }
    }
    sandbox.stack.configure(productionRules(sandbox));
    const { code, output } = await sandbox.stack.up();
    expect(code, output).toBe(0);
    config = JSON.parse(readFileSync(join(sandbox.host.configDirectory, "config.json"), "utf8"));
    sessions = await logIn(sandbox);
    release = releaseOf(sandbox.host.zot);
  });
  afterAll(() => sandbox?.stop());

  it.each(cells)("%s, %s: %s", async (where, label, what, row: AccessRow) => {
    const { fetch: as, identity } = sessions[label] as (typeof sessions)[string];
    const passed: boolean[] = [];
    for (const { method, tag } of ATTEMPTS[what](label)) {
      const path = `/v2/${repositoryIn(where)}/manifests/${tag}`;
      const expected = createAuthorizer(config, { zot: release }).decide(identity, { method, path }, state());
      // Another digest than the one that is there: a push of the same would prove less.
      const body = JSON.stringify({
        ...JSON.parse(String(image.manifest.bytes)),
        annotations: { by: `${label} ${what} ${tag}` },
      });
      const answer = await as(`${sandbox.registryUrl}${path}`, {
        method,
        headers: { "content-type": MANIFEST_TYPE, accept: MANIFEST_TYPE },
        ...(method === "PUT" ? { body } : {}),
      });
      expect([answer.status, answer.ok], await answer.text()).toEqual([expected.status, expected.allowed]);
      passed.push(answer.ok);
    }
    const all = passed.every(Boolean);
    const none = !passed.some(Boolean);
    expect(all ? "yes" : none ? "no" : "if").toBe(row.cells[what].may);
  });
});

async function logIn(sandbox: Sandbox): Promise<Record<string, { fetch: Fetch; identity: Identity }>> {
  const { registryUrl } = sandbox;
  const { key } = await ask<{ key: string }>(sandbox.authentik, "GET", "core/tokens/zot-ci-app-password/view_key/");
  const ci = await login({ registryUrl, username: "zot-ci", password: key });
  const admin = await sandbox.adminSession();
  const user = (name: string, group: string): Identity => ({ kind: "user", name, groups: [group], via: "session" });
  const asCi = { fetch: ci.fetch, identity: user("zot-ci", "artifact-workloads") };
  return {
    anonymous: { fetch, identity: { kind: "anonymous" } },
    "zot-ci": asCi,
    "group artifact-workloads": asCi,
    "group admins": { fetch: admin.fetch, identity: user(admin.username, ADMINS) },
  };
}
