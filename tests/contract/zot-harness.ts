import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hashSync } from "bcryptjs";
import { freePort } from "../../sandbox/process";
import { supports } from "../../src/zot/versions";
import { releaseOf } from "../zot-release";

/** What the suite runs against: the stand-in always, a real zot when ZOT names one. */
export const BINARIES: [name: string, path: string][] = [
  ["stand-in", resolve(__dirname, "../../sandbox/zot/zot")],
  ...(process.env.ZOT ? [["zot", process.env.ZOT] as [string, string]] : []),
];

/** Whether what zot 2.1.22 changes is changed in it (src/config/versions.ts). */
export const isLater = (binary: string) => supports(releaseOf(binary), "combined authentication");

const START_TIMEOUT_MS = 20_000;

export async function until<T>(what: string, probe: () => T | Promise<T>, timeoutMs = START_TIMEOUT_MS) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(15);
  }
}

export type Config = { storage: object; http: Record<string, unknown>; [key: string]: unknown };

/** A scratch directory with what configurations refer to; made when first needed, so that a skipped case makes none. */
export class Scratch {
  private made: string | undefined;

  get path(): string {
    this.made ??= mkdtempSync(join(tmpdir(), "zot-contract-"));
    return this.made;
  }

  write(name: string, content: string): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  /** Every user's password is the user's name. */
  htpasswd(...users: string[]): string {
    return this.write("htpasswd", users.map((user) => `${user}:${hashSync(user, 4)}\n`).join(""));
  }

  remove(): void {
    if (this.made !== undefined) rmSync(this.made, { recursive: true, force: true });
  }
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  json: any;
}

export interface Ask {
  method?: string;
  /** Basic credentials, "name" for an htpasswd user whose password is its name, or "name:password". */
  as?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** Every process that was started and has not ended. */
const running = new Set<ChildProcess>();

/** Ends what a test left running: one that failed, or one whose waiting nobody looked at. */
export function killRunning(): void {
  for (const child of running) child.kill("SIGKILL");
}

export class Zot {
  log = "";
  private process: ChildProcess | undefined;
  exitCode: number | null | undefined;
  port = 0;

  constructor(
    readonly binary: string,
    readonly scratch: Scratch,
    private config: Config,
    private readonly name = "config.json",
  ) {}

  get configPath(): string {
    return join(this.scratch.path, this.name);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts and waits for /livez, or for the exit. */
  async start(): Promise<this> {
    this.port ||= await freePort();
    writeFileSync(this.configPath, this.render(this.config));
    this.exitCode = undefined;
    const child = spawn(this.binary, ["serve", this.configPath], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout?.on("data", (chunk) => {
      this.log += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      this.log += chunk;
    });
    running.add(child);
    child.on("exit", (code) => {
      running.delete(child);
      this.exitCode = code;
    });
    this.process = child;
    await until("zot to start or to exit", () => this.exitCode !== undefined || this.alive(), 60_000);
    return this;
  }

  private async alive(): Promise<boolean> {
    return fetch(`${this.url}/livez`).then(
      (response) => response.ok,
      () => false,
    );
  }

  private render(config: Config): string {
    const storage = { rootDirectory: join(this.scratch.path, "root"), ...config.storage };
    const http = { address: "127.0.0.1", port: String(this.port), ...config.http };
    return JSON.stringify({ distSpecVersion: "1.1.1", log: { level: "info" }, ...config, storage, http });
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null | undefined> {
    if (this.exitCode === undefined) {
      this.process?.kill(signal);
      await until("zot to exit", () => this.exitCode !== undefined);
    }
    return this.exitCode;
  }

  async restart(): Promise<this> {
    await this.stop();
    return this.start();
  }

  /** Writes the configuration file in place, in one write, and waits until it is loaded. */
  async reload(config: Config): Promise<void> {
    const before = this.count("loaded new configuration settings");
    this.overwrite(config);
    await until("the reload", () => this.count("loaded new configuration settings") > before, 3000);
    await sleep(20);
  }

  /** For the next start. */
  reconfigure(config: Config): void {
    this.config = config;
  }

  overwrite(config: Config): void {
    this.config = config;
    this.overwriteText(this.render(config));
  }

  overwriteText(text: string): void {
    const file = openSync(this.configPath, "r+");
    writeSync(file, text.padEnd(8192));
    closeSync(file);
  }

  text(config: Config): string {
    return this.render(config);
  }

  count(message: string): number {
    return this.log.split(message).length - 1;
  }

  async ask(path: string, { method = "GET", as, headers = {}, body }: Ask = {}): Promise<Answer> {
    const credentials = as === undefined || as.includes(":") ? as : `${as}:${as}`;
    const response = await fetch(this.url + path, {
      method,
      redirect: "manual",
      headers: {
        ...(credentials === undefined ? {} : { Authorization: `Basic ${Buffer.from(credentials).toString("base64")}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  }

  async status(path: string, ask: Ask = {}): Promise<number> {
    return (await this.ask(path, ask)).status;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const sha256 = (content: string | Buffer) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const INDEX = "application/vnd.oci.image.index.v1+json";

export async function pushBlob(zot: Zot, repository: string, content: string, as?: string): Promise<Answer> {
  return zot.ask(`/v2/${repository}/blobs/uploads/?digest=${sha256(content)}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: content,
    ...(as === undefined ? {} : { as }),
  });
}

const CONFIG = "{}";

const blobOf = (content: string) => ({ digest: sha256(content), size: Buffer.byteLength(content) });

/** A manifest with an empty config and one layer, the given text. */
export function manifestOf(layer: string, extra: object = {}): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...blobOf(CONFIG) },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...blobOf(layer) }],
    ...extra,
  });
}

export function putManifest(zot: Zot, repository: string, reference: string, manifest: string, as?: string) {
  return zot.ask(`/v2/${repository}/manifests/${reference}`, {
    method: "PUT",
    headers: { "Content-Type": MANIFEST },
    body: manifest,
    ...(as === undefined ? {} : { as }),
  });
}

/** Blobs and manifest; the manifest's answer, or the blob's if that was refused. */
export async function push(zot: Zot, repository: string, tag: string, layer = "layer", as?: string): Promise<Answer> {
  await pushBlob(zot, repository, CONFIG, as);
  const blob = await pushBlob(zot, repository, layer, as);
  return blob.status === 201 ? putManifest(zot, repository, tag, manifestOf(layer), as) : blob;
}
