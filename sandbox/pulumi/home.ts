import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { transformSync } from "@swc/core";
import type { Engine } from "./engine";
import { findTerraformProvider, type Plugin, STAND_INS } from "./plugins";

/** Where Terraform providers lie for the bridge, under PULUMI_DYNAMIC_TF_PLUGIN_CACHE_DIR. */
const PROVIDER = "registry.opentofu.org/goauthentik/authentik/2026.5.0";

export interface Home {
  /** PULUMI_HOME */
  directory: string;
  /** Path of the pulumi command that finds the language host. */
  pulumi: string;
}

/**
 * A PULUMI_HOME that holds the plugins, real ones linked and stand-ins compiled, and a pulumi with its language host
 * beside it (where the engine looks without a warning). Laid once for the same engine, plugins and sources.
 */
export function layHome(cache: string, engine: Engine, plugins: Plugin[]): Home {
  const sources = standInSources();
  const directory = join(cache, `home-${fingerprint(engine, plugins, sources)}`);
  const host = plugins.find(({ command }) => command === LANGUAGE_HOST) as Plugin;
  const complete = host.kind === "real" && dirname(host.where) === dirname(engine.path);
  const pulumi = complete ? engine.path : join(directory, "bin", "pulumi");
  if (existsSync(directory)) return { directory, pulumi };

  const unfinished = `${directory}.${process.pid}`;
  compile(sources, join(unfinished, "stand-ins"));
  if (!complete) put(engine.path, join(unfinished, "bin", "pulumi"));
  for (const plugin of plugins) place(plugin, unfinished, directory);
  const provider = findTerraformProvider();
  if (provider) link(provider, join(unfinished, "dynamic_tf_plugins", PROVIDER, platform(), basename(provider)));
  finish(unfinished, directory);
  return { directory, pulumi };
}

const LANGUAGE_HOST = "pulumi-language-nodejs";

/** Another process may have laid the same one meanwhile. */
function finish(unfinished: string, directory: string): void {
  try {
    renameSync(unfinished, directory);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
}

function standInSources(): Map<string, string> {
  const files = readdirSync(STAND_INS, { recursive: true, encoding: "utf8" });
  const sources = files.filter((file) => extname(file) === ".ts" && !file.endsWith(".test.ts")).sort();
  return new Map(sources.map((file) => [file, readFileSync(join(STAND_INS, file), "utf8")]));
}

function fingerprint(engine: Engine, plugins: Plugin[], sources: Map<string, string>): string {
  const age = (path: string) => statSync(path).mtimeMs;
  const parts = [
    process.execPath,
    __dirname,
    engine.path,
    age(engine.path),
    ...plugins.flatMap(({ where, version }) => [where, version, age(where)]),
    findTerraformProvider(),
    ...sources.entries(),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** A plugin is started for every operation: compiled ahead, it starts in a third of the time. */
function compile(sources: Map<string, string>, directory: string): void {
  for (const [file, source] of sources) {
    const path = join(directory, file.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(path), { recursive: true });
    const { code } = transformSync(source, {
      filename: file,
      jsc: { target: "es2023", parser: { syntax: "typescript" } },
      module: { type: "commonjs" },
    });
    writeFileSync(path, code);
  }
  symlinkSync(resolve(__dirname, "../../node_modules"), join(directory, "node_modules"));
}

function place(plugin: Plugin, unfinished: string, directory: string): void {
  const { command, version, kind, where } = plugin;
  const folder = command === LANGUAGE_HOST ? "bin" : join("plugins", `${command.replace(/^pulumi-/, "")}-v${version}`);
  const path = join(unfinished, folder, command);
  if (kind === "real") {
    link(where, path);
    return;
  }
  const script = join(directory, "stand-ins", relative(STAND_INS, where).replace(/\.ts$/, ".js"));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(script)} "$@"\n`);
  chmodSync(path, 0o755);
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

/** Not a symbolic link: the engine looks for its language host beside the file it really is. */
function put(file: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  try {
    linkSync(file, path);
  } catch {
    copyFileSync(file, path);
  }
}

function platform(): string {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  return `${process.platform}_${architecture}`;
}
