import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hashSync } from "bcryptjs";
import type { RepositoryState } from "../src/zot/state";
import { freePort } from "./process";

/** A real zot on loopback, over a copy of one prepared storage, so that every run begins with the same content. */

export const USERS = ["alice", "bob", "ci"];
export const REPOSITORIES = ["apps/web", "apps/team/web", "infra/tool", "top", "docker.io/library/alpine", "q/abc"];
export const TAGS = ["main", "latest", "v1.2.3-abcdef0"];

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface Exchange {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export async function ask(port: number, { method, path, headers = {}, body = "" }: Exchange): Promise<HttpAnswer> {
  const sent = request({
    host: "127.0.0.1",
    port,
    method,
    path,
    agent,
    headers: { ...headers, "Content-Length": Buffer.byteLength(body) },
  });
  sent.end(body);
  const [response] = await once(sent, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

export class RealZot {
  private constructor(
    readonly port: number,
    readonly process: ChildProcess,
  ) {}

  /** undefined: zot refuses the configuration. */
  static async start(
    command: readonly string[],
    folder: string,
    config: (port: number) => unknown,
  ): Promise<RealZot | undefined> {
    const port = await freePort();
    const file = join(folder, "config.json");
    writeFileSync(file, JSON.stringify(config(port)));
    const [program = "", ...words] = command;
    const child = spawn(program, [...words, "serve", file], { stdio: "ignore" });
    for (let waited = 0; waited < 30_000; waited += 10) {
      if (child.exitCode !== null) return undefined;
      const up = await ask(port, { method: "GET", path: "/livez" }).catch(() => undefined);
      if (up?.status === 200) return new RealZot(port, child);
      await sleep(10);
    }
    child.kill("SIGKILL");
    throw new Error(`zot did not answer on 127.0.0.1:${port} within 30 s`);
  }

  async stop(): Promise<void> {
    const ended = once(this.process, "exit");
    this.process.kill("SIGTERM");
    await ended;
  }
}

interface Content {
  digest: string;
  body: string;
}

const content = (body: string): Content => ({
  digest: `sha256:${createHash("sha256").update(body).digest("hex")}`,
  body,
});

const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";
export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

export const LAYER = content("layer");
export const LOOSE_BLOB = content("loose");
export const NEW_BLOB = content("new");
export const IMAGE_CONFIG = content(
  JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } }),
);

function manifest(name: string): Content {
  const descriptor = ({ digest, body }: Content, mediaType: string) => ({ mediaType, digest, size: body.length });
  return content(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: descriptor(IMAGE_CONFIG, CONFIG_TYPE),
      layers: [descriptor(LAYER, LAYER_TYPE)],
      annotations: { name },
    }),
  );
}

export const MANIFEST_A = manifest("A");
export const MANIFEST_B = manifest("B");

/** What a prepared repository holds, to be changed along with the real one. */
export interface Mirror extends RepositoryState {
  tags: Map<string, string>;
  manifests: Set<string>;
  blobs: Set<string>;
  /** Which untagged manifests it holds is not known any more. */
  uncertain?: boolean;
  lostBlob?: boolean;
}

export function preparedState(): Map<string, Mirror> {
  return new Map(
    REPOSITORIES.map((name) => [
      name,
      {
        tags: new Map(TAGS.map((tag) => [tag, MANIFEST_A.digest])),
        manifests: new Set([MANIFEST_A.digest, MANIFEST_B.digest]),
        blobs: new Set([LAYER, LOOSE_BLOB, IMAGE_CONFIG].map(({ digest }) => digest)),
      },
    ]),
  );
}

/** Storages with and without dedupe, and an htpasswd file: user NAME has password NAME-password. */
export class Workshop {
  readonly htpasswd: string;

  constructor(
    /** The words that start zot, but for `serve FILE`. */
    readonly command: readonly string[],
    readonly folder: string,
    readonly repositories: readonly string[] = REPOSITORIES,
    users: readonly string[] = USERS,
  ) {
    this.htpasswd = join(folder, "htpasswd");
    writeFileSync(this.htpasswd, users.map((user) => `${user}:${hashSync(passwordOf(user), 4)}\n`).join(""));
  }

  async prepare(): Promise<void> {
    for (const dedupe of [false, true]) {
      const root = this.#prepared(dedupe);
      mkdirSync(root);
      const zot = await RealZot.start(this.command, this.folder, (port) => openConfig(port, root, dedupe));
      if (zot === undefined) throw new Error(`${this.command.join(" ")} does not start`);
      for (const repository of this.repositories) await fill(zot.port, repository);
      await zot.stop();
    }
  }

  /** A storage of one's own, as prepared. */
  storage(dedupe: boolean): string {
    const root = join(this.folder, "storage");
    rmSync(root, { recursive: true, force: true });
    cpSync(this.#prepared(dedupe), root, { recursive: true });
    return root;
  }

  #prepared(dedupe: boolean): string {
    return join(this.folder, dedupe ? "prepared-dedupe" : "prepared");
  }
}

export const passwordOf = (user: string) => `${user}-password`;

function openConfig(port: number, rootDirectory: string, dedupe: boolean): unknown {
  return {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory, dedupe, gc: false },
    http: { address: "127.0.0.1", port: String(port) },
    log: { level: "error" },
  };
}

async function fill(port: number, repository: string): Promise<void> {
  const expect201 = async (exchange: Exchange) => {
    const { status, body } = await ask(port, exchange);
    if (status !== 201) throw new Error(`${exchange.method} ${exchange.path}: ${status} ${body}`);
  };
  for (const { digest, body } of [LAYER, LOOSE_BLOB, IMAGE_CONFIG]) {
    const headers = { "Content-Type": "application/octet-stream" };
    await expect201({ method: "POST", path: `/v2/${repository}/blobs/uploads/?digest=${digest}`, headers, body });
  }
  const headers = { "Content-Type": MANIFEST_TYPE };
  for (const reference of TAGS) {
    await expect201({
      method: "PUT",
      path: `/v2/${repository}/manifests/${reference}`,
      headers,
      body: MANIFEST_A.body,
    });
  }
  const { digest, body } = MANIFEST_B;
  await expect201({ method: "PUT", path: `/v2/${repository}/manifests/${digest}`, headers, body });
}
