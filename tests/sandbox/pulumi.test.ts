import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ensurePulumi } from "../../sandbox/pulumi/pulumi";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "pulumi-test-"));
  vi.stubEnv("PULUMI", "");
  vi.stubEnv("PULUMI_PLUGINS", "");
  vi.stubEnv("PULUMI_HOME", join(directory, "users-home"));
  vi.stubEnv("PATH", join(directory, "path"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

function executable(path: string, script: string): string {
  const file = join(directory, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

const ensure = (log: (line: string) => void = () => {}) =>
  ensurePulumi({ cacheDirectory: join(directory, "cache"), log });
const kinds = async () => (await ensure()).parts.map(({ kind, version }) => `${kind} ${version}`);

it("says what to install where there is neither Pulumi nor Go", async () => {
  await expect(ensure()).rejects.toThrow(/^Pulumi is missing: install it .* or install Go 1\.26 or later/);
});

it("says so when PULUMI is something else", async () => {
  vi.stubEnv("PULUMI", executable("other", "exit 1"));
  await expect(ensure()).rejects.toThrow(/other version did not answer as Pulumi does; is PULUMI right\?$/);
});

it("takes the pulumi on PATH, with stand-ins for all its plugins", async () => {
  executable("path/pulumi", "echo v3.300.1");
  expect(await kinds()).toEqual([
    "real 3.300.1",
    "stand-in 3.259.0",
    "stand-in 1.2.1",
    "stand-in 4.21.2",
    "stand-in 1.2.0",
  ]);
});

it("prefers plugins that are given, installed, or beside pulumi", async () => {
  vi.stubEnv("PULUMI", executable("bin/pulumi", "echo v3.300.1"));
  vi.stubEnv("PULUMI_PLUGINS", join(directory, "given"));
  executable("bin/pulumi-language-nodejs", "");
  executable("given/pulumi-resource-command", "");
  executable("users-home/plugins/resource-random-v4.21.2/pulumi-resource-random", "");
  executable("users-home/plugins/resource-terraform-provider-v0.0.1/pulumi-resource-terraform-provider", "");
  const { command, parts } = await ensure();
  expect(parts.map(({ kind }) => kind)).toEqual(["real", "real", "real", "real", "stand-in"]);
  expect(command).toBe(join(directory, "bin/pulumi"));
});

it("lays plugins that start, once for the same parts", async () => {
  executable("path/pulumi", "echo v3.300.1");
  const { environment } = await ensure();
  const home = environment.PULUMI_HOME as string;
  const plugin = join(home, "plugins/resource-command-v1.2.1/pulumi-resource-command");
  expect(readFileSync(plugin, "utf8")).toContain(process.execPath);
  vi.unstubAllEnvs();
  const started = spawn(plugin, ["127.0.0.1:1"]);
  const [port] = await once(started.stdout, "data");
  started.kill();
  expect(String(port)).toMatch(/^\d+\n$/);
  expect(existsSync(join(home, "bin/pulumi-language-nodejs"))).toBe(true);
});

it("builds the engine from its Go module, telling how far it is, and once for two who ask", async () => {
  // In place of a compiler: says what it does, writes into the folder it was told to, and notes that it ran.
  executable(
    "path/go",
    [
      `echo run >> ${directory}/runs`,
      'echo "go: downloading a v1" >&2; echo b >&2',
      'while [ "$1" != "-o" ]; do shift; done',
      'printf "#!/bin/sh\\n" > "$2pulumi"; /bin/chmod +x "$2pulumi"; /bin/sleep 1',
    ].join("\n"),
  );
  const lines: string[] = [];
  const [one] = await Promise.all([ensure((line) => lines.push(line)), ensure((line) => lines.push(line))]);
  expect(readFileSync(join(directory, "runs"), "utf8")).toBe("run\n");
  expect(one.parts[0]).toMatchObject({ name: "pulumi", kind: "real", version: "3.259.0" });
  expect(lines).toContain("building Pulumi's engine 3.259.0 from its Go module: about 3 minutes on 2 cores, this once");
  expect(lines).toContain("waiting for another process that is building Pulumi's engine 3.259.0");
});

it("leaves nothing half built, and gives the compiler's last words", async () => {
  executable("path/go", "echo no space left >&2; exit 1");
  await expect(ensure()).rejects.toThrow("Pulumi's engine 3.259.0 could not be built:\nno space left");
  expect(existsSync(join(directory, "cache/engine-3.259.0"))).toBe(false);
  expect(existsSync(join(directory, "cache/engine-3.259.0.lock"))).toBe(false);
});

it("takes over from a builder that is gone", async () => {
  const lock = join(directory, "cache/engine-3.259.0.lock");
  mkdirSync(join(directory, "cache"));
  writeFileSync(lock, "999999999");
  executable("path/go", "echo tried >&2; exit 1");
  await expect(ensure()).rejects.toThrow("tried");
});
