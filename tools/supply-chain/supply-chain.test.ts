import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { audit } from "./audit";
import { directDependencies, reasons } from "./dependencies";
import { licences } from "./licences";
import { lockfile } from "./lockfile";
import { type Outcome, PROJECT, readPolicy } from "./policy";
import { billOfMaterials } from "./sbom";
import { secrets } from "./secrets";
import { installedSizes } from "./size";

const policy = readPolicy();
const passed = (lines: unknown) => ({ state: "passed", lines });
const failed = (...parts: string[]) => ({ state: "failed", lines: parts.map((part) => expect.stringContaining(part)) });

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "supply-chain-"));
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

const write = (file: string, content: unknown) => {
  mkdirSync(dirname(join(project, file)), { recursive: true });
  writeFileSync(join(project, file), typeof content === "string" ? content : JSON.stringify(content));
};
const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...args], {
    cwd: project,
    stdio: "pipe",
  });

describe("this project", () => {
  it("explains each dependency, and nothing else", () => {
    expect(reasons(directDependencies(PROJECT), policy)).toEqual(passed([expect.stringMatching(/^\d\d direct/)]));
  });

  it("has a lock file that holds, and runs no install script", () => {
    expect(lockfile(PROJECT, policy)).toEqual(passed([expect.stringMatching(/^\d{3} packages with a hash/)]));
  });

  it("is under licences that are allowed", async () => {
    expect(await licences(PROJECT, policy)).toEqual(passed([expect.stringMatching(/^\d{3} packages/)]));
  });

  it("has no secret in its history", async () => {
    expect(await secrets(PROJECT, console.error)).toEqual(passed([expect.stringMatching(/^\d+ commits/)]));
  });
});

describe("the bill of materials", () => {
  it("is valid by CycloneDX's strict schema, has everything, and marks what the program does not need", async () => {
    const sbom = await billOfMaterials(PROJECT);
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot5).validate(JSON.stringify(sbom))).toBeNull();
    expect(sbom).toMatchObject({ specVersion: "1.5", metadata: { component: { name: "harden-zot" } } });
    const { packages } = JSON.parse(readFileSync(join(PROJECT, "package-lock.json"), "utf8"));
    const locked = Object.entries(packages as Record<string, { version?: string; dev?: boolean; link?: boolean }>);
    const expected = locked
      .filter(([path, { link }]) => path.startsWith("node_modules/") && !link)
      .map(([path, { version, dev }]) => `${path.split("node_modules/").at(-1)}@${version} ${dev ? "dev" : "program"}`);
    const isDev = { name: "cdx:npm:package:development", value: "true" };
    const listed = sbom.components.map(({ "bom-ref": name, properties }) => {
      return `${name} ${properties?.some((one) => one.name === isDev.name && one.value === isDev.value) ? "dev" : "program"}`;
    });
    expect(listed.sort()).toEqual([...new Set(expected), "@pulumi/authentik@2026.5.0 program"].sort());
  });
});

describe("dependencies", () => {
  it("must have a reason and one version, wherever they are named", () => {
    write("package.json", { dependencies: { left: "1.0.0" }, devDependencies: { right: "2.0.0" } });
    write(
      "tools/go.mod",
      "module m\n\ngo 1.26\n\nrequire (\n\texample.org/a v1.2.3\n\texample.org/b v1.0.0 // indirect\n)\n",
    );
    write("tools/requirements.txt", "# for a test\nansible>=2\njinja2==3.1.6\n");
    git("init", "--quiet");
    git("add", "--all");
    const found = directDependencies(project);
    expect(found.map(({ name, version, indirect }) => [name, version, indirect])).toEqual([
      ["left", "1.0.0", 0],
      ["right", "2.0.0", 0],
      ["example.org/a", "v1.2.3", 1],
      ["ansible>=2", "", 0],
      ["jinja2", "3.1.6", 0],
    ]);
    const explained = {
      npm: new Map([
        ["left", "it"],
        ["gone", "it"],
      ]),
      go: new Map(),
      pypi: new Map([["jinja2", ""]]),
    };
    expect(reasons(found, explained)).toEqual(
      failed(
        "right has no reason",
        "has gone, which is not used",
        "example.org/a has no reason",
        "ansible>=2 has no reason",
        "jinja2 has no reason",
        "tools/requirements.txt: ansible>=2 pins no version",
      ),
    );
  });

  it("are as large as their files, and what only they need", async () => {
    const node = (name: string, bytes: number, dependencies = {}) => {
      write(`node_modules/${name}/package.json`, { name, version: "1.0.0", dependencies });
      const written = readFileSync(join(project, `node_modules/${name}/package.json`)).length;
      write(`node_modules/${name}/lib/data`, "x".repeat(bytes - written));
    };
    write("package.json", { name: "p", version: "1.0.0", dependencies: { one: "1.0.0", two: "1.0.0" } });
    node("one", 1000, { own: "1.0.0", shared: "1.0.0" });
    node("two", 2000, { shared: "1.0.0" });
    node("own", 300);
    node("one/node_modules/shared", 500);
    node("shared", 400);
    const sizes = await installedSizes(project, ["one", "two"]);
    expect(sizes.get("one")).toEqual({
      own: { bytes: 1000, packages: 1 },
      closure: { bytes: 1800, packages: 3 },
      alone: { bytes: 1800, packages: 3 },
    });
    node("two", 2000, { shared: "1.0.0", one: "1.0.0" });
    const now = await installedSizes(project, ["one", "two"]);
    expect(now.get("one")).toMatchObject({ closure: { bytes: 1800 }, alone: { bytes: 0, packages: 0 } });
    expect(now.get("two")).toMatchObject({
      closure: { bytes: 4200, packages: 5 },
      alone: { bytes: 2400, packages: 2 },
    });
  });
});

describe("a lock file", () => {
  const SHA512 = { integrity: "sha512-AAAA" };
  const check = (manifest: object, packages: object, npmrc = "ignore-scripts=true\n") => {
    write("package.json", manifest);
    write("package-lock.json", { packages: { "": {}, ...packages } });
    write(".npmrc", npmrc);
    return lockfile(project, { installScripts: new Map([["old", "why"]]) });
  };
  const old = { "node_modules/old": { ...SHA512, hasInstallScript: true } };

  it.each<[string, object, object, string]>([
    ["a range", { devDependencies: { a: "^1.0.0" } }, {}, "a ^1.0.0: pin one version"],
    ["a tag", { dependencies: { a: "latest" } }, {}, "a latest"],
    ["a repository", { dependencies: { a: "github:evil/a" } }, {}, "a github:evil/a"],
    [
      "another host",
      {},
      { "node_modules/a": { ...SHA512, resolved: "https://evil.example/a.tgz" } },
      "a from https://evil.example",
    ],
    [
      "a look-alike host",
      {},
      { "node_modules/a": { ...SHA512, resolved: "https://registry.npmjs.org.evil.example/a.tgz" } },
      "evil",
    ],
    ["no hash", {}, { "node_modules/a": {} }, "no SHA-512 of node_modules/a"],
    [
      "a weak hash",
      {},
      { "node_modules/b/node_modules/a": { integrity: "sha1-AAAA" } },
      "no SHA-512 of node_modules/b/node_modules/a",
    ],
    [
      "a new install script",
      {},
      { "node_modules/@x/a": { ...SHA512, hasInstallScript: true } },
      "@x/a has an install script",
    ],
  ])("with %s is refused", (_, manifest, packages, fault) => {
    expect(check(manifest, { ...old, ...packages })).toEqual(failed(fault));
  });

  it("without the install script that is explained, or with scripts allowed to run, is refused", () => {
    expect(check({}, {})).toEqual(failed("explains an install script of old, which has none"));
    expect(check({}, old, "fund=false\n")).toEqual(failed(".npmrc lacks ignore-scripts=true"));
  });

  it("that is as it should be passes", () => {
    const packages = { ...old, "node_modules/sdk": { link: true, resolved: "sdks/sdk" } };
    expect(check({ dependencies: { a: "1.2.3-beta.1", sdk: "file:sdks/sdk" } }, packages)).toMatchObject(
      passed(expect.anything()),
    );
  });

  it("an install script that gets in does not run", () => {
    const script = `node -e "require('fs').writeFileSync(process.env.INIT_CWD + '/ran', '')"`;
    write("evil/package.json", { name: "evil", version: "1.0.0", scripts: { postinstall: script } });
    const npm = (...args: string[]) => execFileSync("npm", args, { cwd: project, stdio: "pipe" });
    npm("pack", "--silent", "./evil");
    write("package.json", { name: "victim", version: "1.0.0", dependencies: { evil: "file:evil-1.0.0.tgz" } });
    copyFileSync(join(PROJECT, ".npmrc"), join(project, ".npmrc"));
    npm("install", "--offline");
    expect(existsSync(join(project, "node_modules/evil/package.json"))).toBe(true);
    expect(existsSync(join(project, "ran"))).toBe(false);
    rmSync(join(project, "node_modules"), { recursive: true });
    npm("install", "--offline", "--ignore-scripts=false", "--dangerously-allow-all-scripts");
    expect(existsSync(join(project, "ran"))).toBe(true);
  });
});

describe("licences", () => {
  const allowed = {
    licences: new Map([
      ["MIT", ""],
      ["ISC", ""],
    ]),
    readByHand: new Map([["old@1.0.0", "MIT"]]),
  };
  /** @param declared by package; none: it declares no licence */
  const check = (declared: Record<string, string | undefined>, old = "1.0.0"): Promise<Outcome> => {
    const all = Object.entries(declared).map(([name, license]) => ({ name, version: "1.0.0", license }));
    const installed = [...all, { name: "old", version: old, license: undefined }];
    const dependencies = Object.fromEntries(installed.map(({ name, version }) => [name, version]));
    const root = { name: "p", version: "1.0.0", dependencies };
    const entries = installed.map(({ name, ...rest }) => [
      `node_modules/${name}`,
      { ...rest, integrity: "sha512-AAAA" },
    ]);
    write("package.json", root);
    write("package-lock.json", { ...root, lockfileVersion: 3, packages: { "": root, ...Object.fromEntries(entries) } });
    return licences(project, allowed);
  };

  it("that are not allowed are refused, each", async () => {
    const a = { gpl: "GPL-3.0-only", both: "MIT AND GPL-3.0-only", either: "(MIT OR Elastic-2.0)", none: undefined };
    const refused = [
      "both@1.0.0 is under MIT AND",
      "either@1.0.0 is",
      "gpl@1.0.0 is",
      "none@1.0.0 declares no SPDX",
      "un@1.0.0",
    ];
    expect(await check({ ...a, un: "UNLICENSED", mit: "MIT" })).toEqual(failed(...refused));
  });

  it("read by hand are so of one version", async () => {
    expect(await check({ mit: "MIT", either: "(MIT OR ISC)" })).toEqual(
      passed(["3 packages, each under a licence that is allowed"]),
    );
    expect(await check({}, "1.0.1")).toEqual(
      failed('old@1.0.0 is under "Licences read by hand"', "old@1.0.1 declares"),
    );
  });
});

describe("advisories", () => {
  let registry: Server;
  let answer: { status: number; body: object };
  beforeEach(async () => {
    registry = createServer((request, response) => {
      const asked = request.method === "POST" && request.url === "/-/npm/v1/security/advisories/bulk";
      request.resume();
      response.writeHead(asked ? answer.status : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(asked ? answer.body : {}));
    });
    await new Promise<void>((settle) => registry.listen(0, "127.0.0.1", settle));
    vi.stubEnv("npm_config_registry", `http://127.0.0.1:${(registry.address() as AddressInfo).port}`);
    vi.stubEnv("npm_config_fetch_retries", "0");
    vi.stubEnv("npm_config_cache", join(project, "cache"));
    const dependencies = { a: "1.0.0" };
    const root = { name: "p", version: "1.0.0", dependencies };
    write("package.json", root);
    const packages = { "": root, "node_modules/a": { version: "1.0.0", integrity: "sha512-AAAA" } };
    write("package-lock.json", { name: "p", version: "1.0.0", lockfileVersion: 3, requires: true, packages });
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    registry.close();
  });
  const check = (status: number, body: object, ...explained: string[]) => {
    answer = { status, body };
    return audit(project, { advisories: new Map(explained.map((id) => [id, "harmless here"])) });
  };
  const url = "https://github.com/advisories/GHSA-xvch-5gv4-984h";
  const hole = { a: [{ id: 1, url, title: "hole", severity: "critical", vulnerable_versions: "<2" }] };

  it("that are not explained fail", async () => {
    expect(await check(200, hole)).toEqual(failed("GHSA-xvch-5gv4-984h (critical): a <2: hole"));
  });

  it("that are explained pass, until they are gone", async () => {
    expect(await check(200, hole, "GHSA-xvch-5gv4-984h")).toEqual(passed(["1 advisories, 1 explained"]));
    expect(await check(200, {}, "GHSA-xvch-5gv4-984h")).toEqual(
      failed("GHSA-xvch-5gv4-984h is explained and not there"),
    );
    expect(await check(200, {})).toEqual(passed(["0 advisories, 0 explained"]));
  });

  it.each([405, 500])("of a registry that answers %i are not known, which is no pass", async (status) => {
    const lines = [expect.stringContaining(`does not answer audits: ${status}`), expect.anything()];
    expect(await check(status, {})).toEqual({ state: "unanswered", lines });
  });
});

describe("a secret in the history", () => {
  /** The same at every run: one in some hundred random texts holds a word for which gitleaks takes it for no secret. */
  const secret = (length: number, encoding: "base64" | "hex" = "base64") =>
    createHash("shake256", { outputLength: length })
      .update("no secret of anybody")
      .digest(encoding)
      .replace(/[^A-Za-z0-9]/g, "x")
      .slice(0, length);
  const commit = (file: string, content: string) => {
    write(file, content);
    git("add", "--all");
    git("commit", "--quiet", "-m", file);
  };

  it("is found: of a file since removed, on another branch, in recorded test data, under a comment that asks to look away", async () => {
    git("init", "--quiet", "--initial-branch=main");
    commit("notes.md", `token: ghp_${secret(36, "hex")}\n`);
    commit("README.md", "nothing\n");
    git("rm", "--quiet", "notes.md");
    git("commit", "--quiet", "-m", "removed");
    git("checkout", "--quiet", "-b", "other");
    commit("tests/vectors/authentik/exchanges.jsonl", `{"client_secret":"${secret(128)}"}\n`);
    commit("deploy.ts", `const apiToken = "${secret(40)}"; // gitleaks:allow\n`);
    git("checkout", "--quiet", "main");
    const { state, lines } = await secrets(project, console.error);
    expect(state).toBe("failed");
    expect(lines.map((line) => line.split(" in commit ")[0]).sort()).toEqual([
      "deploy.ts:1",
      "notes.md:1",
      "tests/vectors/authentik/exchanges.jsonl:1",
    ]);
  });

  it("cannot be looked for where there is no history, which is no pass", async () => {
    await expect(secrets(project, console.error)).rejects.toThrow("gitleaks");
  });
});
