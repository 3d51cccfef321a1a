import { type SpawnOptionsWithoutStdio, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type AuthentikPart, findAuthentik } from "../sandbox/authentik-part";
import { basicAuth } from "../sandbox/distribution";
import { findZot } from "../sandbox/parts";
import { type Daemon, freePort, startDaemon, stopDaemon, waitForHttp } from "../sandbox/process";
import { startUpstream, UPSTREAM_IMAGE } from "../sandbox/upstream";
import { renderConfig, serializeConfig } from "../src/config/render";
import { mint, revoke } from "../src/credentials/key-program";
import type { MintedKey, RevokeRequest } from "../src/credentials/key-requests";
import { parseSettings, type RawSettings } from "../src/settings/settings";
import { type Client, ensureClients } from "./clients/clients";
import { createWorld, type World } from "./contract/authentik-world";
import { type Laid, layImage, layIndex } from "./image-layout";

/** What a CI job does with its key, with the clients it would use, on a registry with the configuration that we render. */
const NAMES = ["skopeo", "crane", "regctl", "oras"] as const;
const directory = mkdtempSync(join(tmpdir(), "harden-zot-clients-"));
const daemons: Daemon[] = [];
let authentik: AuthentikPart;
let world: World;
let registry: string;
type Clients = Map<string, Client>;
let clients: Clients;
/** The same programs with a home of their own, logged in with a key that soon expires. */
let late: Clients;
/** And never logged in. */
let anonymous: Clients;
let expired: Key & { at: number };

beforeAll(async () => {
  [clients, late, anonymous] = await Promise.all([clientsAt("home"), clientsAt("late"), clientsAt("anonymous")]);
  const port = await freePort();
  registry = `127.0.0.1:${port}`;
  authentik = await findAuthentik(join(directory, "authentik"));
  if (authentik.daemon) daemons.push(authentik.daemon);
  world = await createWorld(authentik, `http://${registry}/zot/auth/callback/oidc`);
  const upstream = await startUpstream(findZot().where, join(directory, "upstream"));
  daemons.push(upstream.daemon);
  await startRegistry(port, upstream.url);
  expired = { ...(await mintKey(LIFETIME)), at: Date.now() + LIFETIME };
  const { username } = world.bot;
  const logins = [...late.values()].map((client) => client.login(registry, username, expired.apiKey));
  expect(await Promise.all(logins)).toEqual(NAMES.map(() => DONE));
});

const LIFETIME = 8_000;

async function clientsAt(home: string): Promise<Clients> {
  const found = await ensureClients(join(directory, home), console.error);
  return new Map(found.map((client) => [client.name, client]));
}

afterAll(async () => {
  await world?.destroy();
  for (const daemon of daemons.reverse()) await stopDaemon(daemon);
  rmSync(directory, { recursive: true, force: true });
});

async function startRegistry(port: number, upstreamUrl: string): Promise<void> {
  const host = { address: "unused", user: "unused", zot: "/unused", configDirectory: "/unused" };
  const settings = parseSettings({
    "authentik:url": authentik.url,
    "harden-zot:registry": {
      externalUrl: `http://${registry}`,
      version: "2.1.20",
      listen: { address: "127.0.0.1", port },
      storage: { rootDirectory: join(directory, "data"), dedupe: false },
      pullThrough: [{ name: "docker.io", url: upstreamUrl, tlsVerify: false }],
      compat: ["docker2s2"],
      ui: false,
    },
    "harden-zot:hosts": [{ ...host, hostKey: "ssh-ed25519 AAAA", service: { manager: "docker", name: "unused" } }],
    "harden-zot:access": {
      admins: { group: "admins" },
      tags: { mutable: ["main", "latest"], format: "^v\\d+\\.\\d+\\.\\d+-[0-9a-f]{7}(-nix)?$" },
    },
    "harden-zot:ci": [{ name: world.bot.username, group: world.users, repositories: ["team/**"] }],
  } as Partial<RawSettings> as RawSettings);
  const file = (name: string, content: string) => {
    writeFileSync(join(directory, name), content, { mode: 0o600 });
    return join(directory, name);
  };
  const { clientId: clientid, clientSecret: clientsecret, slug } = world;
  const config = renderConfig(settings, {
    issuer: `${authentik.url}/application/o/${slug}/`,
    credentialsFile: file("oidc.json", JSON.stringify({ clientid, clientsecret })),
    sessionKeysFile: file("sessions.json", JSON.stringify({ hashKey: "h".repeat(32), encryptKey: "e".repeat(32) })),
  });
  const command = [findZot().where, "serve", file("config.json", serializeConfig(config))] as const;
  daemons.push(startDaemon("zot", [...command], join(directory, "zot.log")));
  await waitForHttp(`http://${registry}/livez`);
}

type Key = Pick<MintedKey, "apiKey">;

let owners = 0;

/** As `up` makes them; each with an owner of its own, so that one can be revoked without the others. */
function mintKey(expiresAfter: number): Promise<Key & RevokeRequest> {
  const { appPassword: password, username } = world.bot;
  const owner = `clients ${++owners} #`;
  const request = { registryUrl: `http://${registry}`, username, password, flowSlug: world.ciFlow, owner };
  const minted = mint({ ...request, period: 1, expiresAfter, group: world.users });
  return minted.then(({ apiKey }) => ({ ...request, apiKey }));
}

const DONE = { code: 0, output: expect.any(String) };
const FORBIDDEN = /denied|forbidden|403/i;
const UNAUTHORIZED = /unauthorized|401|invalid username\/password|credential not found/i;

describe.each(NAMES)(`%s on ${process.env.ZOT ? "the real zot" : "the zot stand-in"}`, (name) => {
  const repository = () => `${registry}/team/${name}`;
  const client = () => clients.get(name) as Client;
  const push = (content: string, reference: string) =>
    client().push(layImage(directory, content).layout, "built", reference);
  /** 403 and, but for skopeo 1.9 which drops it, the reason. */
  const refused = async (content: string, reference: string, reason: RegExp) => {
    const { code, output } = await push(content, reference);
    expect([code === 0, output]).toEqual([false, expect.stringMatching(FORBIDDEN)]);
    if (name !== "skopeo") expect(output).toMatch(reason);
  };
  let key: Key & RevokeRequest;

  beforeAll(async () => {
    key = await mintKey(3_600_000);
    expect(await client().login(registry, world.bot.username, key.apiKey)).toEqual(DONE);
  });

  /** Pulls into a layout of its own, and compares everything that was laid out. */
  const expectPulled = async (by: Client, reference: string, { blobs, root }: Laid) => {
    const pulled = mkdtempSync(join(directory, "pulled-"));
    expect(await by.pull(reference, pulled)).toEqual(DONE);
    for (const { digest, bytes } of [root, ...blobs]) {
      expect(readFileSync(join(pulled, "blobs", ...digest.split(":")))).toEqual(bytes);
    }
  };

  it("pushes a new version tag and pulls it back by digest", async () => {
    const laid = layImage(directory, `${name} 1`);
    expect(await client().push(laid.layout, "built", `${repository()}:v1.0.0-0123abc`)).toEqual(DONE);
    await expectPulled(client(), `${repository()}@${laid.root.digest}`, laid);
  });

  it("pushes an index of two architectures, copies it, lists its tags; anybody pulls all of it", async () => {
    const laid = layIndex(directory, `${name} index`);
    const copied = `${repository()}-copied`;
    expect(await client().push(laid.layout, "built", `${repository()}:v3.0.0-0123abc`)).toEqual(DONE);
    expect(await client().copy(`${repository()}:v3.0.0-0123abc`, `${copied}:v3.0.1-0123abc`)).toEqual(DONE);
    expect(await client().tags(copied)).toEqual({ code: 0, output: expect.stringContaining("v3.0.1-0123abc") });
    const stranger = anonymous.get(name) as Client;
    expect(await stranger.tags(repository())).toEqual({ code: 0, output: expect.stringContaining("v3.0.0-0123abc") });
    await expectPulled(stranger, `${copied}:v3.0.1-0123abc`, laid);
    const { code, output } = await stranger.copy(`${copied}:v3.0.1-0123abc`, `${copied}:v3.0.2-0123abc`);
    expect([code === 0, output]).toEqual([false, expect.stringMatching(UNAUTHORIZED)]);
  });

  it.runIf(name === "regctl" || name === "oras")("attaches an artifact to an image, finds and copies it", async () => {
    const { attach, list } = client().referrers as NonNullable<Client["referrers"]>;
    const from = `${repository()}:v4.0.0-0123abc`;
    const to = `${repository()}-copied:v4.0.0-0123abc`;
    await push(`${name} subject`, from);
    writeFileSync(join(directory, "home", name, "sbom.json"), "{}");
    expect(await attach(from, "application/spdx+json", "sbom.json")).toEqual(DONE);
    expect(await client().copy(from, to)).toEqual(DONE);
    for (const reference of [from, to]) {
      expect(await list(reference)).toEqual({ code: 0, output: expect.stringContaining("application/spdx+json") });
    }
  });

  it("is refused a version tag that exists", async () => {
    await push(`${name} first`, `${repository()}:v2.0.0-0123abc`);
    await refused(
      `${name} second`,
      `${repository()}:v2.0.0-0123abc`,
      /may not be pushed again by this account; push a new tag instead/,
    );
  });

  it("is refused a tag of the wrong form", async () => {
    await refused(
      `${name} wrong`,
      `${repository()}:1.0.0`,
      /this registry takes new tags that match .*push under such a tag/,
    );
  });

  it("is refused another team's repository and the pull-through cache, which it may read", async () => {
    await refused(`${name} other`, `${registry}/other/${name}:v1.0.0-0123abc`, FORBIDDEN);
    await refused(`${name} cache`, `${registry}/docker.io/team/${name}:v1.0.0-0123abc`, FORBIDDEN);
    const { repository: cached, tag } = UPSTREAM_IMAGE;
    const pulled = join(directory, `cached-${name}`);
    expect(await client().pull(`${registry}/docker.io/${cached}:${tag}`, pulled)).toEqual(DONE);
    expect(existsSync(join(pulled, "index.json"))).toBe(true);
  });

  it("is refused after the key was revoked", async () => {
    await revoke(key);
    await unauthorized(client(), key.apiKey);
  });
});

describe("the example workflow", () => {
  it.each(["forgejo", "github"])(
    "%s: its skopeo step pushes what nix built, under the version and the commit",
    async (forge) => {
      const job = layJob(forge);
      const { apiKey } = await mintKey(3_600_000);
      const { jobs } = parse(readFileSync(resolve(`examples/${forge}/build-image.yaml`), "utf8"));
      const { run } = jobs.nix.steps.at(-1);
      const { status, stderr } = await execute("/bin/sh", ["-e", "-c", run], {
        cwd: job,
        env: {
          PATH: `${job}:${process.env.PATH}`,
          HOME: job,
          XDG_RUNTIME_DIR: job,
          TMPDIR: job,
          // A registry on plain http, and no policy file: what a host of the operator's has settled.
          CONTAINERS_REGISTRIES_CONF: join(job, "registries.conf"),
          REGISTRY: registry,
          REPOSITORY: `team/${forge}`,
          USERNAME: world.bot.username,
          KEY: apiKey,
          GITHUB_SHA: "abcdef0123456789abcdef0123456789abcdef01",
        },
      });
      expect([status, stderr]).toEqual([0, ""]);
      const pushed = await fetch(`http://${registry}/v2/team/${forge}/tags/list`);
      expect(await pushed.json()).toMatchObject({ tags: ["v1.2.3-abcdef0-nix"] });
    },
  );
});

/** A checkout with the example in it, and a nix-build that has built an image: a docker archive of one empty layer. */
function layJob(forge: string): string {
  const job = mkdtempSync(join(directory, `job-${forge}-`));
  const put = (path: string, content: string | Buffer, mode = 0o644) => {
    mkdirSync(dirname(join(job, path)), { recursive: true });
    writeFileSync(join(job, path), content, { mode });
  };
  const layer = Buffer.alloc(1024);
  const diffId = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  put("built/layer.tar", layer);
  put(
    "built/config.json",
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [diffId] } }),
  );
  put("built/manifest.json", JSON.stringify([{ Config: "config.json", RepoTags: null, Layers: ["layer.tar"] }]));
  put("nix-build", `#!/bin/sh\ntar -C '${job}/built' -cf "$3" manifest.json config.json layer.tar\n`, 0o755);
  put("ci/image-tag.sh", readFileSync(resolve("examples/image-tag.sh")));
  put("containers/app/default.nix", 'let version = "0.0.1"; in\n  version = "1.2.3";\n');
  // The registry of this test is on plain http.
  put(".config/containers/registries.conf", `[[registry]]\nlocation = "${registry}"\ninsecure = true\n`);
  put(".config/containers/policy.json", '{"default":[{"type":"insecureAcceptAnything"}]}');
  return job;
}

interface Execution {
  status: number | null;
  stderr: string;
}

function execute(command: string, args: string[], options: SpawnOptionsWithoutStdio): Promise<Execution> {
  const child = spawn(command, args, options);
  const exit = new Promise<number | null>((settle) => child.once("close", settle));
  return Promise.all([exit, text(child.stderr)]).then(([status, stderr]) => ({ status, stderr }));
}

// Last, by when it has.
it.each(NAMES)("%s is refused after the key has expired", async (name) => {
  await sleep(Math.max(0, expired.at + 100 - Date.now()));
  await unauthorized(late.get(name) as Client, expired.apiKey);
});

/** Nobody pushes without a key, so what shows that it was the key that was refused is what anybody may do. */
async function unauthorized(client: Client, apiKey: string): Promise<void> {
  const push = await client.push(
    layImage(directory, "late").layout,
    "built",
    `${registry}/team/${client.name}:v9.0.0-0123abc`,
  );
  const runs = [push];
  // regctl and oras pull, and even "log in", without the login where that will do (docs/facts.md).
  if (client.name === "skopeo" || client.name === "crane") {
    const { repository: cached, tag } = UPSTREAM_IMAGE;
    const pulled = join(directory, `refused-${client.name}`);
    runs.push(await client.pull(`${registry}/docker.io/${cached}:${tag}`, pulled));
  }
  for (const { code, output } of runs) {
    expect([code === 0, output]).toEqual([false, expect.stringMatching(UNAUTHORIZED)]);
    expect(output).not.toContain(apiKey);
  }
  const asked = await fetch(`http://${registry}/v2/`, { headers: basicAuth(world.bot.username, apiKey) });
  expect(asked.status).toBe(401);
}
