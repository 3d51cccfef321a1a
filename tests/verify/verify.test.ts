import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Result } from "../../src/verify/check";
import { VERIFICATION } from "../../src/verify/checks";
import type { Outcome } from "../../src/verify/finding";
import type { Report } from "../../src/verify/report";
import { runChecks } from "../../src/verify/run";
import type { Target } from "../../src/verify/target";
import { BINARY_NAME, World } from "./world";

const idsOf = (results: Result[], outcome: Outcome) =>
  results.filter((result) => result.outcome === outcome).map(({ id }) => id);

describe(`verification of a hardened registry (${BINARY_NAME})`, () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  /** Everything zot has stored, but for its own databases. */
  const stored = () =>
    readdirSync(join(world.scratch.path, "root"), { recursive: true })
      .map(String)
      .filter((path) => !/\.db|_sessions|_trivy/.test(path))
      .sort();
  const keysOf = async (username: string, group: string) => {
    const answer = await (await world.session(username, group)).fetch("/zot/auth/apikey");
    return ((await answer.json()) as { apiKeys: { label: string }[] }).apiKeys.map(({ label }) => label);
  };

  it("only reads when it is told so, and before anything was written", async () => {
    const before = stored();
    world.proxy.seen.length = 0;
    const results = await runChecks(VERIFICATION, { ...world.target, readOnly: true });
    expect(idsOf(results, "failed")).toEqual([]);
    expect(new Set(world.proxy.seen.map(({ method }) => method))).toEqual(new Set(["GET"]));
    expect(stored()).toEqual(before);
    const writing = VERIFICATION.filter(({ writes }) => writes).map(({ id }) => id);
    expect(idsOf(results, "skipped")).toEqual(writing);
  });

  it("writes in its own namespace alone, and the second time nothing new", async () => {
    const before = stored();
    expect(idsOf(await runChecks(VERIFICATION, world.target), "failed")).toEqual([]);
    const first = stored();
    const added = first.filter((path) => !before.includes(path));
    expect(added.length).toBeGreaterThan(0);
    expect(added.filter((path) => !/^(harden-zot|docker\.io)(\/|$)/.test(path))).toEqual([]);
    expect(idsOf(await runChecks(VERIFICATION, world.target), "failed")).toEqual([]);
    expect(stored()).toEqual(first);
    expect(await keysOf("ci-pub", "publishers")).toEqual(["stack ci-pub #1"]);
  });

  it("revokes the key that a run left behind which died", async () => {
    await world.mint("ci-pub", "publishers", "harden-zot verification, revoked at once");
    const results = await runChecks(VERIFICATION, world.target);
    expect(idsOf(results, "warning")).not.toContain("key-strays");
    expect(await keysOf("ci-pub", "publishers")).toEqual(["stack ci-pub #1"]);
  });

  it.each([
    ["30m", "1h", "ok", "by the settings a layer may take 30 min, 2250 MB at 10 Mbit/s"],
    ["2h", "90s", "ok", "by the settings a layer may take 90 s, 113 MB at 10 Mbit/s"],
    ["60s", "30m", "warning", "by the settings a layer may take 1 min, 75 MB at 10 Mbit/s"],
  ])("says how long an upload may take (read %s, write %s)", async (readTimeout, writeTimeout, outcome, words) => {
    const { config } = world.target;
    const target = { ...world.target, config: { ...config, http: { ...config.http, readTimeout, writeTimeout } } };
    const checks = VERIFICATION.filter(({ id }) => ["ready", "key-works", "push"].includes(id));
    const push = (await runChecks(checks, target)).find(({ id }) => id === "push");
    expect([push?.outcome, push?.seen.split("; ")[1]]).toEqual([outcome, words]);
  });

  it("says what it cannot look at without a key, and looks at the rest", async () => {
    const identities = world.target.identities.map(({ apiKey: _, expiresAt: __, ...identity }) => identity);
    const results = await runChecks(VERIFICATION, { ...world.target, identities });
    const skipped = results.filter(({ outcome }) => outcome === "skipped");
    expect(skipped.map(({ id }) => id)).toEqual(
      expect.arrayContaining(["key-works", "push", "overwrite", "delete", "cache-push", "mount-unreadable"]),
    );
    expect(new Set(skipped.map(({ seen }) => seen))).toEqual(new Set(["no key: the stack hands out none"]));
    expect(idsOf(results, "failed")).toEqual([]);
    expect(idsOf(results, "ok")).toEqual(expect.arrayContaining(["anonymous-push", "access-table", "metrics"]));
  });

  it("counts a registry that does not answer as failed, and nothing as well", async () => {
    const results = await runChecks(VERIFICATION, { ...world.target, registry: "https://127.0.0.1:1" });
    expect(idsOf(results, "failed")).toEqual(expect.arrayContaining(["ready", "tls"]));
    expect(idsOf(results, "ok")).toEqual(["issuer", "key-expiry"]);
  });

  it("passes nothing that is claimed of a hardened registry on one that is open", async () => {
    await world.restart((config) => {
      const { auth: _, accessControl: __, ...open } = config.http;
      Object.assign(config, { http: open });
    });
    try {
      const results = await runChecks(VERIFICATION, world.target);
      // What does not depend on who may do what.
      const indifferent = ["ready", "anonymous-pull", "issuer", "tls", "clock", "key-expiry", "metrics", "mgmt"];
      indifferent.push("pull-through", "push", "zot-version", "zot-cves", "key-works", "head-creates", "docker-client");
      expect(idsOf(results, "ok").filter((id) => !indifferent.includes(id))).toEqual([]);
    } finally {
      await world.restart(() => {});
    }
  });

  describe("as a command", () => {
    const run = async (target: Target, ...flags: string[]) => {
      const child = spawn(process.execPath, ["--require", "./loader.js", "bin/verify.ts", "--stdin", ...flags]);
      child.stdin.end(JSON.stringify(target));
      const ended = new Promise<number | null>((settle) => child.on("close", settle));
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
      return { code: await ended, stdout, stderr };
    };

    it("exits 0 with stable ids in JSON, and shows no key", async () => {
      const { code, stdout, stderr } = await run(world.target, "--json");
      expect([code, stderr]).toEqual([0, ""]);
      const report = JSON.parse(stdout) as Report;
      expect(report).toMatchObject({ registry: world.target.registry, readOnly: false, passed: true });
      expect(report.checks.map(({ id }) => id)).toEqual(VERIFICATION.map(({ id }) => id));
      expect(report.counts.ok + report.counts.warning).toBe(VERIFICATION.length);
      for (const { apiKey } of world.target.identities) expect(stdout).not.toContain(apiKey);
    });

    it("exits 1 with the table, the cause and the fix", async () => {
      world.proxy.lie = { request: ({ path }) => (path === "/readyz" ? { status: 503 } : undefined) };
      const { code, stdout } = await run(world.target);
      world.proxy.lie = {};
      expect(code).toBe(1);
      expect(stdout).toMatch(/FAILED +│ the registry is ready +│ 503/);
      expect(stdout).toMatch(
        /FAILED: the registry is ready \[ready\]\n +expected +200\n +seen +503\n +because .*\n +do /,
      );
    });

    it("says it in one line for a list of services", async () => {
      const { code, stdout } = await run({ ...world.target, readOnly: true }, "--line");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^zot ok: https:\/\/127\.0\.0\.1:\d+: \d+ ok, 0 failed, 1 warnings, \d+ skipped\n$/);
    });

    it("hides a key that the registry itself shows", async () => {
      const [{ apiKey = "" } = {}] = world.target.identities;
      world.proxy.lie = {
        request: ({ path }) =>
          path === "/readyz"
            ? { status: 503, body: `{"errors":[{"code":"X","detail":{"reason":"${apiKey}"}}]}` }
            : undefined,
      };
      const { stdout } = await run(world.target);
      world.proxy.lie = {};
      expect(stdout).toContain("503 X: [key]");
      expect(stdout).not.toContain(apiKey);
    });
  });
});
