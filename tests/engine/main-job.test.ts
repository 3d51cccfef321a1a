import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminChecks, OPEN_CHECKS } from "../../sandbox/checks";
import { ask } from "../../sandbox/people";
import { NAME, type Sandbox, startSandbox } from "../../sandbox/sandbox";
import type { Run } from "../../sandbox/stack";
import { VERIFICATION } from "../../src/verify/checks";
import { runChecks } from "../../src/verify/run";

/** The engine's own account of a preview: one step a resource. */
interface Step {
  op: string;
  urn: string;
}

const configFile = (sandbox: Sandbox) => join(sandbox.host.configDirectory, "config.json");
const liveConfig = (sandbox: Sandbox) => readFileSync(configFile(sandbox), "utf8");

function succeeded(run: Run): string {
  expect(run.code, run.output).toBe(0);
  return run.output;
}

function changedSteps(run: Run): string[] {
  const { steps } = JSON.parse(succeeded(run).replace(/^[^{]*/, "")) as { steps: Step[] };
  return steps.filter(({ op }) => op !== "same").map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`);
}

/** One life of a stack, in order: each test starts where the one before it ended. */
describe("the main job, with the Pulumi engine", () => {
  let sandbox: Sandbox;
  let openConfig: string;

  beforeAll(async () => {
    sandbox = await startSandbox(() => {});
    openConfig = liveConfig(sandbox);
  });
  afterAll(() => sandbox?.stop());

  it("starts from an open registry", async () => {
    const results = await runChecks(OPEN_CHECKS, await sandbox.target());
    expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  });

  it("previews from nothing and touches nothing", async () => {
    const output = succeeded(await sandbox.stack.preview("--diff"));
    expect(output).toMatch(/\+ \d+ to create/);
    // config.json is readable before it exists; only the names of files that hold secrets are not known yet.
    expect(output).toContain("harden-zot/secrets/oidc-credentials-(new).json");
    expect(output).toMatch(/"?accessControl"?/);
    expect(liveConfig(sandbox)).toBe(openConfig);
  });

  it("hardens it: every check passes on the running registry", async () => {
    succeeded(await sandbox.stack.up());
    const results = await runChecks([...VERIFICATION, ...adminChecks(sandbox.adminSession)], await sandbox.target());
    expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  });

  it("gives its outputs, with the sha256 of what is active", async () => {
    const { createHash } = await import("node:crypto");
    const sha256 = createHash("sha256").update(liveConfig(sandbox)).digest("hex");
    const { access, ci, ciDockerConfig, ciSecrets, ...outputs } = await sandbox.stack.outputs();
    expect(Object.keys(ci as object)).toEqual([`${NAME}-ci`]);
    expect([ciDockerConfig, ciSecrets]).toEqual(["[secret]", "[secret]"]);
    expect(access).toMatchObject({
      "team/**": { anonymous: "pull", [`${NAME}-ci`]: expect.stringMatching(/^pull, push if /) },
      "docker.io/**": { anonymous: "pull", "everyone logged in": "pull" },
    });
    expect(Object.keys((access as Record<string, object>)["docker.io/**"] ?? {})).not.toContain(`${NAME}-ci`);
    expect(outputs).toEqual({
      registryUrl: sandbox.registryUrl,
      oidcIssuer: `${sandbox.authentik.url}/application/o/${NAME}/`,
      redirectUri: `${sandbox.registryUrl}/zot/auth/callback/oidc`,
      configSha256: { "registry-host": sha256 },
    });
  });

  it("changes nothing the second time", async () => {
    succeeded(await sandbox.stack.up("--expect-no-changes"));
    expect(changedSteps(await sandbox.stack.preview("--json"))).toEqual([]);
  });

  it("keeps its secrets out of config.json, the state and the console", async () => {
    const credentials = JSON.parse(
      readFileSync(JSON.parse(liveConfig(sandbox)).http.auth.openid.providers.oidc.credentialsFile, "utf8"),
    );
    const keys = JSON.parse(readFileSync(JSON.parse(liveConfig(sandbox)).http.auth.sessionKeysFile, "utf8"));
    const shown = `${liveConfig(sandbox)}\n${await sandbox.stack.state()}\n${succeeded(await sandbox.stack.up())}`;
    for (const secret of [credentials.clientsecret, keys.hashKey, keys.encryptKey, sandbox.authentik.token]) {
      expect(secret.length).toBeGreaterThan(20);
      expect(shown).not.toContain(secret);
    }
  });

  it("shows a changed access rule as one update, and applies it", async () => {
    const settings = sandbox.settings();
    settings["harden-zot:access"] = { ...(settings["harden-zot:access"] as object), anonymous: [] };
    sandbox.stack.configure(settings);
    expect(changedSteps(await sandbox.stack.preview("--json"))).toEqual([
      "update registry-host-config",
      "update verification",
    ]);
    const shown = succeeded(await sandbox.stack.preview());
    expect(shown).toMatch(/access\s*:[\s\S]*~ anonymous\s*: "pull" => "nothing"/);
    succeeded(await sandbox.stack.up());
    const { status } = await fetch(`${sandbox.registryUrl}/v2/team/app/manifests/v1.0.0-abcdef0`);
    expect(status).toBe(401);
    sandbox.stack.configure(sandbox.settings());
    succeeded(await sandbox.stack.up());
  });

  it("takes a host under another address for the same host, and never opens it again", async () => {
    const settings = sandbox.settings();
    Object.assign((settings["harden-zot:hosts"] as object[])[0] as object, { address: "localhost" });
    sandbox.stack.configure(settings);
    const steps = changedSteps(await sandbox.stack.preview("--json"));
    expect(steps).toContain("update registry-host-config");
    expect(steps.filter((step) => !step.startsWith("update"))).toEqual([]);
    sandbox.stack.configure(sandbox.settings());
  });

  it("keeps the members of a group that is changed, though nobody refreshed", async () => {
    const members = async (name: string) => {
      const { results } = await ask<{ results: { users_obj: { username: string }[] }[] }>(
        sandbox.authentik,
        "GET",
        `core/groups/?name=${name}&include_users=true`,
      );
      return results.flatMap((group) => group.users_obj.map((user) => user.username));
    };
    expect(await members(`${NAME}-publishers`)).toEqual([`${NAME}-ci`]);
    const settings = sandbox.settings();
    settings["harden-zot:ci"] = (settings["harden-zot:ci"] as object[]).map((identity) => ({
      ...identity,
      group: `${NAME}-pushers`,
    }));
    sandbox.stack.configure(settings);
    succeeded(await sandbox.stack.up());
    expect(await members(`${NAME}-pushers`)).toEqual([`${NAME}-ci`]);
    expect(await members(`${NAME}-publishers`)).toEqual([]);
    sandbox.stack.configure(sandbox.settings());
    succeeded(await sandbox.stack.up());
  });

  it("never runs twice at once: who comes second is told so, and nothing is left half done", async () => {
    const applied = liveConfig(sandbox);
    const runs = await Promise.all([sandbox.stack.up(), sandbox.stack.up()]);
    const refused = runs.filter(({ code }) => code !== 0);
    // Each writes its lock before it looks for others, so that both may give way.
    expect(refused.length).toBeGreaterThan(0);
    for (const { output } of refused) expect(output).toMatch(/the stack is currently locked by/);
    expect(liveConfig(sandbox)).toBe(applied);
    succeeded(await sandbox.stack.up("--expect-no-changes"));
  });

  it("puts back the open config on destroy, with every image still there", async () => {
    succeeded(await sandbox.stack.destroy());
    expect(JSON.parse(liveConfig(sandbox))).toEqual(JSON.parse(openConfig));
    const results = await runChecks(OPEN_CHECKS, await sandbox.target());
    expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
    const { status } = await fetch(`${sandbox.registryUrl}/v2/team/app/manifests/v1.0.0-abcdef0`);
    expect(status).toBe(200);
  });
});
