import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../sandbox/sandbox";

const configFile = (sandbox: Sandbox) => join(sandbox.host.configDirectory, "config.json");
const config = (sandbox: Sandbox) => JSON.parse(readFileSync(configFile(sandbox), "utf8"));
const credentialsFile = (sandbox: Sandbox) => config(sandbox).http.auth.openid.providers.oidc.credentialsFile as string;

/** What somebody does behind our back, and the words a preview finds for it. */
const DRIFTS: [string, (sandbox: Sandbox) => void, RegExp][] = [
  ["config.json edited", (sandbox) => appendFileSync(configFile(sandbox), " "), /config\.json/],
  [
    "config.json writable by others",
    (sandbox) => chmodSync(configFile(sandbox), 0o666),
    /config\.json is writable by others/,
  ],
  ["credentials removed", (sandbox) => rmSync(credentialsFile(sandbox)), /oidc-credentials-[0-9a-f]{12}\.json is gone/],
  ["credentials readable by others", (sandbox) => chmodSync(credentialsFile(sandbox), 0o644), /is readable by others/],
  [
    "service stopped",
    ({ host }) => execFileSync(host.service.stop[0] as string, host.service.stop.slice(1)),
    /the service is not running/,
  ],
  [
    "zot replaced by another version",
    (sandbox) => replaceZot(sandbox, "2.1.21"),
    /zot is 2\.1\.21, and was 2\.1\.20 when the configuration was applied/,
  ],
  [
    "zot replaced by the version it was",
    (sandbox) => replaceZot(sandbox, "2.1.20"),
    /zot is 2\.1\.20, and was 2\.1\.21 when the configuration was applied/,
  ],
];

/** Another zot in the place of the one that was there, as an upgrade by hand leaves it: what differs is what it says. */
function replaceZot({ host }: Sandbox, version: string): void {
  const original = `${host.zot}.original`;
  if (!existsSync(original)) renameSync(host.zot, original);
  const lines = [
    "#!/bin/sh",
    'case "$1" in',
    `--version) ${original} --version 2>&1 | sed 's/"v*2[.]1[.]20/"v${version}/' ;;`,
    `*) exec ${original} "$@" ;;`,
    "esac",
  ];
  writeFileSync(`${host.zot}.new`, `${lines.join("\n")}\n`, { mode: 0o755 });
  renameSync(`${host.zot}.new`, host.zot);
}

describe("drift of the host", () => {
  let sandbox: Sandbox;
  let applied: string;

  beforeAll(async () => {
    sandbox = await startSandbox(() => {});
    const { code, output } = await sandbox.stack.up();
    expect(code, output).toBe(0);
    applied = readFileSync(configFile(sandbox), "utf8");
  });
  afterAll(() => sandbox?.stop());

  it.each(DRIFTS)("%s: a preview says so, up heals it, and the run after shows no change", async (_, drift, words) => {
    drift(sandbox);
    const preview = await sandbox.stack.preview();
    expect(preview.output).toMatch(words);
    expect(preview.output).toMatch(/~ \d+ to update/);
    const up = await sandbox.stack.up();
    expect(up.code, up.output).toBe(0);
    // A heal is verified like every change.
    expect(up.output).toMatch(/command:local:Command verification updated/);
    expect(readFileSync(configFile(sandbox), "utf8").trimEnd()).toBe(applied.trimEnd());
    expect(statSync(configFile(sandbox)).mode & 0o022).toBe(0);
    expect(statSync(credentialsFile(sandbox)).mode & 0o077).toBe(0);
    expect((await fetch(`${sandbox.registryUrl}/readyz`)).status).toBe(200);
    const after = await sandbox.stack.preview("--expect-no-changes");
    expect(after.code, after.output).toBe(0);
  });

  it("zot replaced by one that is too old: up refuses and leaves what serves alone", async () => {
    replaceZot(sandbox, "2.1.18");
    const preview = await sandbox.stack.preview();
    expect(preview.output).toMatch(/zot is 2\.1\.18, and was 2\.1\.20/);
    const up = await sandbox.stack.up();
    expect(up.code).not.toBe(0);
    expect(up.output).toMatch(/is zot 2\.1\.18, and this configuration needs 2\.1\.20 or newer.*; nothing was changed/);
    expect((await fetch(`${sandbox.registryUrl}/readyz`)).status).toBe(200);
    replaceZot(sandbox, "2.1.20");
    const healed = await sandbox.stack.up();
    expect(healed.code, healed.output).toBe(0);
    const after = await sandbox.stack.preview("--expect-no-changes");
    expect(after.code, after.output).toBe(0);
  });

  it("a host that lost the agent and all its files gets them again", async () => {
    rmSync(join(sandbox.host.configDirectory, "harden-zot"), { recursive: true });
    const up = await sandbox.stack.up();
    expect(up.code, up.output).toBe(0);
    expect(statSync(credentialsFile(sandbox)).mode & 0o077).toBe(0);
    expect((await fetch(`${sandbox.registryUrl}/readyz`)).status).toBe(200);
    const after = await sandbox.stack.preview("--expect-no-changes");
    expect(after.code, after.output).toBe(0);
  });

  it("an unreachable host: a preview says so and does not pretend", async () => {
    const settings = sandbox.settings();
    Object.assign((settings["harden-zot:hosts"] as object[])[0] as object, { port: 1 });
    sandbox.stack.configure(settings);
    const { code, output } = await sandbox.stack.preview();
    expect(code, output).toBe(0);
    expect(output).toMatch(/cannot be reached \(ECONNREFUSED\).*What it holds is not known/);
    const up = await sandbox.stack.up();
    expect(up.code).not.toBe(0);
    expect(up.output).toMatch(/cannot be reached \(ECONNREFUSED\).*Nothing was changed/);
    expect(readFileSync(configFile(sandbox), "utf8").trimEnd()).toBe(applied.trimEnd());
  });
});
