import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { findZot } from "../sandbox/parts";
import { parseSettings, type RawSettings } from "../src/settings/settings";
import { VERIFICATION } from "../src/verify/checks";
import { ACCESS_TABLE } from "../src/verify/checks/access-table";
import { runChecks } from "../src/verify/run";
import { type Target, targetOf } from "../src/verify/target";
import type { AccessControl, ZotConfig } from "../src/zot/types";
import { passwordOf, RealZot, Workshop } from "./differential/registry";
import { UNUSED_HOST } from "./unused-host";

const REPOSITORIES = 100;
const IDENTITIES = 20;

/** Speed of `make verify`, as `make bench` shows it: on the zot that ZOT names, or the stand-in. */
async function main(): Promise<void> {
  const { kind, where } = findZot();
  const folder = mkdtempSync(join(tmpdir(), "bench-verify-"));
  const target = largeTarget();
  const users = target.identities.map(({ username }) => username);
  const workshop = new Workshop([where], folder, ["team0/app"], users);
  await workshop.prepare();
  const root = workshop.storage(false);
  const zot = await RealZot.start([where], folder, (port) => withPasswords(target, port, root, workshop.htpasswd));
  if (zot === undefined) throw new Error("zot refuses the rules");
  try {
    const registry = `http://127.0.0.1:${zot.port}`;
    console.log(
      `verification         ${kind} zot, ${REPOSITORIES} patterns, ${IDENTITIES} identities                s`,
    );
    const [table] = await timed("access table alone", () => runChecks([ACCESS_TABLE], { ...target, registry }));
    console.log(`${" ".repeat(21)}${table?.outcome}: ${table?.seen}`);
    await timed("everything, read only", () => runChecks(VERIFICATION, { ...target, registry, readOnly: true }));
  } finally {
    await zot.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timed<Result>(what: string, run: () => Promise<Result>): Promise<Result> {
  const begun = performance.now();
  const result = await run();
  console.log(`${" ".repeat(21)}${what.padEnd(54)}${((performance.now() - begun) / 1000).toFixed(1).padStart(6)}`);
  return result;
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

void main();
