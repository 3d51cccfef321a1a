import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { passwordOf, RealZot, Workshop } from "../sandbox/bare-registry";
import { findZot } from "../sandbox/parts";
import { UNUSED_HOST } from "../sandbox/unused-host";
import { parseSettings, type RawSettings } from "../src/settings/settings";
import type { Result } from "../src/verify/check";
import { VERIFICATION } from "../src/verify/checks";
import { ACCESS_TABLE } from "../src/verify/checks/access-table";
import { runChecks } from "../src/verify/run";
import { type Target, targetOf } from "../src/verify/target";
import type { AccessControl, ZotConfig } from "../src/zot/types";
import { benchmark, conditions, markdownTable, milliseconds } from "./benchmark";

const REPOSITORIES = 100;
const IDENTITIES = 20;

benchmark("Verification", async () => {
  const part = findZot();
  const { where } = part;
  console.log(conditions([part]));
  const folder = mkdtempSync(join(tmpdir(), "bench-verify-"));
  const target = largeTarget();
  const users = target.identities.map(({ username }) => username);
  const workshop = new Workshop([where], folder, ["team0/app"], users);
  await workshop.prepare();
  const root = workshop.storage(false);
  const zot = await RealZot.start([where], folder, (port) => withPasswords(target, port, root, workshop.htpasswd));
  if (zot === undefined) throw new Error("zot refuses the rules");
  try {
    const at = { ...target, registry: `http://127.0.0.1:${zot.port}` };
    const head = [`${REPOSITORIES} patterns, ${IDENTITIES} identities`, "s", "seen"];
    const alone = await timed("the access table alone", () => runChecks([ACCESS_TABLE], at));
    const all = await timed("all checks, read only", () => runChecks(VERIFICATION, { ...at, readOnly: true }));
    console.log(markdownTable(head, [alone, all]));
  } finally {
    await zot.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

async function timed(what: string, run: () => Promise<Result[]>): Promise<string[]> {
  let results: Result[] = [];
  const ms = await milliseconds(async () => {
    results = await run();
  });
  const seen = results.length === 1 ? `${results[0]?.outcome}: ${results[0]?.seen}` : `${results.length} checks`;
  return [what, (ms / 1000).toFixed(1), seen];
}

function largeTarget(): Target {
  const settings = parseSettings({
    "authentik:url": "https://authentik.test",
    "harden-zot:registry": {
      externalUrl: "http://127.0.0.1:1",
      version: "2.1.20",
      listen: { address: "127.0.0.1", port: 5000 },
      storage: { rootDirectory: "/none", dedupe: false, gc: false },
      ui: false,
    },
    "harden-zot:hosts": [UNUSED_HOST],
    "harden-zot:access": {
      admins: { group: "admins" },
      tags: { mutable: ["main", "latest"], format: "^v\\d+\\.\\d+\\.\\d+-[0-9a-f]{7}$" },
    },
    "harden-zot:ci": Array.from({ length: IDENTITIES }, (_, index) => ({
      name: `ci-${index}`,
      group: `group-${index}`,
      repositories: Array.from({ length: REPOSITORIES / IDENTITIES }, (_, one) => `team${index * 5 + one}/**`),
    })),
  } as Partial<RawSettings> as RawSettings);
  const keys = Object.fromEntries(settings.ci.map(({ name }) => [name, { apiKey: passwordOf(name) }]));
  return targetOf(settings, { oidcIssuer: "http://127.0.0.1:1/", redirectUri: "", ciSecrets: keys });
}

/** zot takes the passwords of an htpasswd file where it would take keys; the rules are the same. */
function withPasswords({ config, identities }: Target, port: number, root: string, htpasswd: string): ZotConfig {
  const groups: AccessControl["groups"] = Object.fromEntries(
    identities.map(({ group, username }) => [group, { users: [username] }]),
  );
  return {
    ...config,
    storage: { rootDirectory: root, dedupe: false, gc: false },
    http: {
      ...config.http,
      port: String(port),
      auth: { htpasswd: { path: htpasswd } },
      accessControl: { ...config.http.accessControl, groups },
    },
    log: { level: "error" },
  };
}
