import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerConfigJson, type HandOver, loginLines, registryHost } from "./handover";

const handover: HandOver = {
  registry: "registry.example.test:5050",
  username: "zot-ci",
  apiKey: `zak_${"0a".repeat(16)}`,
  expiresAt: "2030-01-01T00:00:00Z",
};

describe("the docker config", () => {
  it("files the login under host and port, as user:key in base64", () => {
    const { auths } = JSON.parse(dockerConfigJson(handover));
    expect(Object.keys(auths)).toEqual(["registry.example.test:5050"]);
    const auth = Buffer.from(auths["registry.example.test:5050"].auth, "base64").toString();
    expect(auth).toBe(`zot-ci:${handover.apiKey}`);
  });

  it.each([
    ["https://registry.ops.eblu.me", "registry.ops.eblu.me"],
    ["http://127.0.0.1:5050", "127.0.0.1:5050"],
    ["https://[::1]:5050", "[::1]:5050"],
  ])("%s is known to clients as %s", (url, host) => expect(registryHost(url)).toBe(host));
});

describe("the login lines", () => {
  const lines = loginLines(handover);
  const directory = mkdtempSync(join(tmpdir(), "harden-zot-lines-"));
  const seen = join(directory, "seen");
  const PASSING_STDIN = ["docker", "podman", "skopeo", "crane", "regctl", "oras"];

  beforeAll(() => {
    const script = (name: string, text: string) => {
      writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(directory, name), 0o755);
    };
    const output = { "zot-ci": { apiKey: handover.apiKey, dockerConfigJson: dockerConfigJson(handover) } };
    writeFileSync(join(directory, "output.json"), JSON.stringify(output));
    script("pulumi", `cat '${directory}/output.json'`);
    // As much of jq as the lines ask for, so that this test needs none: -r '.["IDENTITY"].NAME'.
    script(
      "jq",
      `exec '${process.execPath}' -e '
        const [, identity, name] = /^\\.\\["(.*)"\\]\\.(\\w+)$/.exec(process.argv[2]);
        console.log(JSON.parse(require("fs").readFileSync(0, "utf8"))[identity][name])' -- "$@"`,
    );
    for (const tool of PASSING_STDIN) script(tool, `{ echo "$@"; cat; } > '${seen}'`);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const run = (line: string) =>
    execFileSync("/bin/sh", ["-c", `${line}\necho "$DOCKER_CONFIG"`], {
      encoding: "utf8",
      env: { PATH: `${directory}:/usr/bin:/bin`, TMPDIR: directory },
    }).trim();

  it.each(PASSING_STDIN)("%s gets the key on stdin and not as an argument", (tool) => {
    run(lines[tool] as string);
    const [args, stdin] = readFileSync(seen, "utf8").split("\n");
    expect(args).toContain("registry.example.test:5050");
    expect(args).toContain("zot-ci");
    expect(args).not.toContain(handover.apiKey);
    expect(stdin).toBe(handover.apiKey);
  });

  it.each(["dagger", "kaniko", "buildkit"])("%s finds the docker config in a directory for its owner alone", (tool) => {
    const config = run(lines[tool] as string);
    expect(readFileSync(join(config, "config.json"), "utf8").trim()).toBe(dockerConfigJson(handover));
    expect(statSync(config).mode & 0o777).toBe(0o700);
  });

  it("hold no secret and no other tool", () => {
    expect(Object.keys(lines)).toEqual([...PASSING_STDIN, "dagger", "kaniko", "buildkit"]);
    expect(JSON.stringify(lines)).not.toContain(handover.apiKey);
  });
});
