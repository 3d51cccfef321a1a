import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { directDependencies, PROJECT, policy, readJson } from "./policy";
import { secrets } from "./secrets";

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
const licensee = (cwd: string) =>
  spawnSync(join(PROJECT, "node_modules/.bin/licensee"), ["--errors-only"], { cwd, encoding: "utf8" });

describe("this project", () => {
  const { packages } = readJson(PROJECT, "package-lock.json");
  const locked = Object.entries<{ link?: boolean; resolved?: string; integrity?: string; hasInstallScript?: boolean }>(
    packages,
  ).filter(([path, { link }]) => path.startsWith("node_modules/") && !link);

  it("has a reason for each dependency it names, and for nothing else", () => {
    const named = directDependencies(PROJECT);
    const tables = [
      "The program's npm packages",
      "npm packages of tests and sandbox",
      "Go modules",
      "PyPI packages",
    ].flatMap((heading) => [...policy(heading)]);
    expect(tables.map(([name]) => name).sort()).toEqual([...new Set(named.map(({ name }) => name))].sort());
    expect(tables.filter(([, reason]) => reason === "")).toEqual([]);
  });

  it("pins one version of each", () => {
    expect(directDependencies(PROJECT).filter(({ version }) => version === "")).toEqual([]);
  });

  it("has each package from npm's registry, with a hash of it", () => {
    expect(locked.length).toBeGreaterThan(100);
    expect(locked.filter(([, { integrity = "" }]) => !integrity.startsWith("sha512-"))).toEqual([]);
    // npm leaves out where a package comes from when that is the registry.
    const registry = "https://registry.npmjs.org/";
    expect(locked.filter(([, { resolved = registry }]) => !resolved.startsWith(registry))).toEqual([]);
  });

  it("runs no install script, and says why each need not run", () => {
    expect(readFileSync(join(PROJECT, ".npmrc"), "utf8").split("\n")).toContain("ignore-scripts=true");
    const scripts = Object.entries<{ hasInstallScript?: boolean }>(packages).filter(([, one]) => one.hasInstallScript);
    const names = scripts.map(([path]) => path.split("node_modules/").at(-1));
    expect([...new Set(names)].sort()).toEqual([...policy("Install scripts").keys()].sort());
  });

  it("is under licences that are allowed, each with a reason", () => {
    const { licenses, packages: readByHand } = readJson(PROJECT, ".licensee.json");
    expect(licenses.spdx.toSorted()).toEqual([...policy("Licences").keys()].sort());
    const byHand = Object.entries(readByHand).map(([name, version]) => `${name}@${version}`);
    expect(byHand.sort()).toEqual([...policy("Licences read by hand").keys()].sort());
    expect(licensee(PROJECT)).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  it("has no secret in its history", async () => {
    expect(await secrets(PROJECT)).toEqual([]);
  });
});

it("dependencies are found wherever they are named, and pinned or not", () => {
  write("package.json", {
    dependencies: { left: "1.0.0", sdk: "file:sdks/sdk" },
    devDependencies: { right: "^2.0.0" },
  });
  write(
    "tools/go.mod",
    "module m\n\ngo 1.26\n\nrequire (\n\texample.org/a v1.2.3\n\texample.org/b v1.0.0 // indirect\n)\n",
  );
  write("tools/requirements.txt", "# for a test\nansible>=2\njinja2==3.1.6\n");
  git("init", "--quiet");
  git("add", "--all");
  expect(directDependencies(project).map(({ file, name, version }) => [file, name, version])).toEqual([
    ["package.json", "left", "1.0.0"],
    ["package.json", "sdk", "file:sdks/sdk"],
    ["package.json", "right", ""],
    ["tools/go.mod", "example.org/a", "v1.2.3"],
    ["tools/requirements.txt", "ansible", ""],
    ["tools/requirements.txt", "jinja2", "3.1.6"],
  ]);
});

it("licences that are not allowed are refused, and one read by hand is so of one version", () => {
  const all = {
    gpl: { license: "GPL-3.0-only" },
    both: { license: "MIT AND GPL-3.0-only" },
    none: {},
    mit: { license: "MIT" },
    buildcheck: { version: "0.0.8" },
  };
  const dependencies = Object.fromEntries(Object.keys(all).map((name) => [name, "*"]));
  write("package.json", { name: "p", version: "1.0.0", dependencies });
  for (const [name, one] of Object.entries(all))
    write(`node_modules/${name}/package.json`, { name, version: "1.0.0", ...one });
  copyFileSync(join(PROJECT, ".licensee.json"), join(project, ".licensee.json"));
  const { status, stdout } = licensee(project);
  expect(status).toBe(1);
  expect(stdout.match(/^\w+@[\d.]+$/gm)?.sort()).toEqual(["both@1.0.0", "buildcheck@0.0.8", "gpl@1.0.0", "none@1.0.0"]);
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
    const lines = await secrets(project);
    expect(lines.map((line) => line.split(" in commit ")[0]).sort()).toEqual([
      "deploy.ts:1",
      "notes.md:1",
      "tests/vectors/authentik/exchanges.jsonl:1",
    ]);
  });

  it("cannot be looked for where there is no history, which is no pass", async () => {
    await expect(secrets(project)).rejects.toThrow("gitleaks");
  });
});
