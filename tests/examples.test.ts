import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseSettings, type RawSettings } from "../src/settings/settings";
import { ensureActionlint } from "./clients/clients";

/** The files under examples/, which users copy. */
const EXAMPLES = resolve("examples");
const SHA = "0123456789abcdef0123456789abcdef01234567";
const directory = mkdtempSync(join(tmpdir(), "harden-zot-examples-"));
afterAll(() => rmSync(directory, { recursive: true }));

function imageTag(file: string, content: string, commit = SHA) {
  writeFileSync(join(directory, file), content);
  const { status, stdout, stderr } = spawnSync("sh", [join(EXAMPLES, "image-tag.sh"), file, commit], {
    cwd: directory,
    encoding: "utf8",
  });
  return { status, tag: stdout.trim(), stderr: stderr.trim() };
}

describe("image-tag.sh", () => {
  const { config } = parse(readFileSync("Pulumi.prod.yaml", "utf8"));
  const format = new RegExp(parseSettings(config as RawSettings).access.tags.format ?? "^$");

  it.each([
    ["Dockerfile", "FROM alpine:3.22.1\nARG CONTAINER_APP_VERSION=1.28.0\n", "v1.28.0-0123456"],
    ["Dockerfile", 'ARG GO_VERSION=1.26.1\nARG  CONTAINER_APP_VERSION="v0.9.12"\n', "v0.9.12-0123456"],
    ["Dockerfile", 'FROM x\nLABEL org.opencontainers.image.version="2.0.1" other=1\n', "v2.0.1-0123456"],
    ["Dockerfile.app", "LABEL a=b org.opencontainers.image.version=2.0.1\n", "v2.0.1-0123456"],
    ["default.nix", '{ pkgs }:\nlet\n  version = "3.4.5";\n  other.version = "9.9.9";\nin x\n', "v3.4.5-0123456-nix"],
    ["app.nix", "  pname = 'a'; \n  version='1.0.0';\n", "v1.0.0-0123456-nix"],
  ])("%s %j gives %s, which the production registry takes", (file, content, tag) => {
    expect(imageTag(file, content)).toEqual({ status: 0, tag, stderr: "" });
    expect(tag).toMatch(format);
  });

  it.each([
    ["no version", "Dockerfile", "FROM alpine:3.22.1\nARG GO_VERSION=1.26.1\n", SHA, /Dockerfile names no version/],
    ["a version of two parts", "Dockerfile", "ARG CONTAINER_APP_VERSION=1.2\n", SHA, /version 1\.2 in Dockerfile/],
    ["a version with an end of its own", "a.nix", 'version = "1.2.3-rc1";', SHA, /version 1\.2\.3-rc1 in a\.nix/],
    ["a version that is computed", "default.nix", "version = pkgs.app.version;", SHA, /default\.nix names no version/],
    ["a branch for a commit", "Dockerfile", "ARG CONTAINER_APP_VERSION=1.2.3\n", "main", /main is no commit hash/],
    ["part of a command for a commit", "a.nix", 'version = "1.2.3";', "0123456;id", /is no commit hash/],
  ])("refuses %s", (_, file, content, commit, message) => {
    const { status, tag, stderr } = imageTag(file, content, commit);
    expect([status, tag, stderr]).toEqual([1, "", expect.stringMatching(message)]);
  });
});

describe("workflow files", () => {
  let actionlint: string;
  beforeAll(async () => {
    actionlint = await ensureActionlint(console.error);
    writeFileSync(join(directory, "actionlint.yaml"), "self-hosted-runner:\n  labels: [docker, nix]\n");
  });

  // Forgejo fetches actions by URL, which is not GitHub's form.
  const FORGEJO = ["-ignore", 'specifying action "https://code\\.forgejo\\.org/[^"]+" in invalid format'];
  const lint = (file: string) => {
    const args = ["-config-file", join(directory, "actionlint.yaml"), ...(file.startsWith("forgejo") ? FORGEJO : [])];
    return spawnSync(actionlint, [...args, resolve(EXAMPLES, file)], { encoding: "utf8" }).stdout;
  };
  const FILES = ["forgejo/build-image.yaml", "forgejo/rotate.yaml", "github/build-image.yaml", "github/rotate.yaml"];

  it.each(FILES)("%s is found right by actionlint", (file) => {
    expect(lint(file)).toBe("");
  });

  it("actionlint finds what is wrong", () => {
    writeFileSync(join(directory, "bad.yaml"), "on: push\njobs: { a: { runs-on: docker, steps: [{ rum: x }] } }\n");
    expect(lint(join(directory, "bad.yaml"))).toContain("step must run script");
  });

  it.each(FILES)("%s gives a secret to the steps that need it, and never as an argument", (file) => {
    interface Step {
      run?: string;
      uses?: string;
    }
    const { jobs, env } = parse(readFileSync(join(EXAMPLES, file), "utf8"));
    const steps = Object.values(jobs as Record<string, { steps: Step[]; env?: object }>).flatMap((job) => job.steps);
    expect(JSON.stringify(env ?? {})).not.toContain("secrets.");
    for (const { run = "", uses = "" } of steps) {
      expect(run).not.toContain("secrets.");
      expect(`${run}${uses}`).not.toMatch(/--password[ =]|-p "?\$/);
    }
  });
});
