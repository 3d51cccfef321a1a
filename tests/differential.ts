import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  ask,
  type HttpAnswer,
  IMAGE_CONFIG,
  LAYER,
  LOOSE_BLOB,
  MANIFEST_A,
  MANIFEST_B,
  MANIFEST_TYPE,
  type Mirror,
  NEW_BLOB,
  passwordOf,
  preparedState,
  RealZot,
  Workshop,
} from "../sandbox/bare-registry";
import { type Authorizer, createAuthorizer, type Decision, type Identity } from "../src/zot/authorizer";
import { ConditionError } from "../src/zot/cel";
import type { HttpRequest } from "../src/zot/request";
import type { ZotConfig } from "../src/zot/types";
import { request, setup, who } from "./differential/generate";
import { releaseOf } from "./zot-release";

/**
 * Random configurations and requests, answered by the real zot (ZOT=path) and by the authorizer; any difference is
 * printed. `DECISIONS` (default 20000) and `SEED` (default: the clock) choose what is tried.
 */
async function main(): Promise<number> {
  const binary = process.env.ZOT;
  if (!binary) {
    console.error("set ZOT to the path of a zot binary, 2.1.20 or later");
    return 2;
  }
  const wanted = Number(process.env.DECISIONS ?? 20_000);
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  const folder = mkdtempSync(join(tmpdir(), "zot-differential-"));
  const tally: Tally = { agree: 0, differ: 0, undefinedByTie: 0, configurations: 0, refused: 0 };
  try {
    const workshop = new Workshop([binary], folder);
    const release = releaseOf(binary);
    await workshop.prepare();
    const rounds = Math.ceil(wanted / PER_CONFIGURATION) * 2;
    for (const drawn of fc.sample(setup, { numRuns: rounds, seed })) {
      if (tally.agree + tally.differ >= wanted) break;
      await round(workshop, release, drawn, seed + tally.configurations, tally);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(
    `${tally.configurations} configurations (${tally.refused} refused by both), seed ${seed}, ${tally.undefinedByTie} answers left out: patterns of equal length`,
  );
  console.log(`${tally.agree} agree, ${tally.differ} differ`);
  return tally.differ > 0 ? 1 : 0;
}

interface Tally {
  agree: number;
  differ: number;
  undefinedByTie: number;
  configurations: number;
  refused: number;
}

type Drawn = typeof setup extends fc.Arbitrary<infer T> ? T : never;

const PER_CONFIGURATION = 250;

async function round(workshop: Workshop, release: string, drawn: Drawn, seed: number, tally: Tally): Promise<void> {
  tally.configurations++;
  const configAt = (port: number) => zotConfig(drawn, port, workshop.storage(drawn.dedupe), workshop.htpasswd);
  const authorizer = authorizerOf(configAt(0), release);
  const zot = await RealZot.start(workshop.command, workshop.folder, configAt);
  if (zot === undefined || authorizer === undefined) {
    tally.refused++;
    if (zot !== undefined) complain(tally, drawn, "zot takes the configuration, the authorizer refuses it");
    if (authorizer !== undefined && !needsAuthentication(drawn))
      complain(tally, drawn, "zot refuses the configuration");
    await zot?.stop();
    return;
  }
  try {
    const state = preparedState();
    for (const [name, exchange] of fc.sample(fc.tuple(who, request), { numRuns: PER_CONFIGURATION, seed })) {
      const expected = authorizer.decide(identityOf(name), exchange, state);
      const answer = await ask(zot.port, { ...exchange, headers: headersOf(name, exchange), body: bodyOf(exchange) });
      const where = `${name} ${exchange.method} ${exchange.path} (${exchange.userAgent})`;
      const tied = expected.ambiguous !== undefined;
      const differs = tied ? "" : difference(expected, answer, exchange, state, authorizer, identityOf(name));
      if (tied) tally.undefinedByTie++;
      else if (differs === "") tally.agree++;
      else complain(tally, drawn, `${where}: ${differs}`);
      follow(state, exchange, answer, drawn.dedupe);
    }
  } finally {
    await zot.stop();
  }
}

function authorizerOf(config: ZotConfig, zot: string): Authorizer | undefined {
  try {
    return createAuthorizer(config, { zot });
  } catch (error) {
    if (error instanceof ConditionError) return undefined;
    throw error;
  }
}

/** zot refuses rules for people whom nothing authenticates, which is no question for an authorizer. */
const needsAuthentication = (drawn: Drawn) => drawn.authentication === "none";

function zotConfig(drawn: Drawn, port: number, rootDirectory: string, htpasswd: string): ZotConfig {
  const auth = {
    ...(drawn.authentication === "none" ? {} : { htpasswd: { path: htpasswd } }),
    ...(drawn.authentication.includes("apikey") ? { apikey: true } : {}),
  };
  return {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory, dedupe: drawn.dedupe, gc: false },
    http: {
      address: "127.0.0.1",
      port: String(port),
      ...(drawn.realm ? { realm: drawn.realm } : {}),
      auth,
      ...(drawn.accessControl ? { accessControl: drawn.accessControl } : {}),
    },
    log: { level: "error" },
    extensions: drawn.extensions,
  } as unknown as ZotConfig;
}

function identityOf(name: string): Identity {
  if (name === "anonymous" || name === "wrong-credentials") return { kind: name };
  return { kind: "user", name, groups: [], via: "htpasswd" };
}

function headersOf(name: string, { path, userAgent = "", method }: HttpRequest): Record<string, string> {
  const [user, password] = name === "wrong-credentials" ? ["ci", "guess"] : [name, passwordOf(name)];
  return {
    "User-Agent": userAgent,
    ...(name === "anonymous"
      ? {}
      : { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` }),
    ...(method === "PUT" && path.includes("/manifests/") ? { "Content-Type": MANIFEST_TYPE } : {}),
    ...(path.includes("?digest=") ? { "Content-Type": "application/octet-stream" } : {}),
  };
}

/** By tag, the manifest that no tag points to yet; by digest, the one it is the digest of. */
function bodyOf({ method, path }: HttpRequest): string {
  if (path.includes("?digest=")) return NEW_BLOB.body;
  if (path.startsWith("/zot/auth/apikey")) return JSON.stringify({ label: "x", scopes: [] });
  if (method !== "PUT" || !path.includes("/manifests/")) return "";
  return path.includes(MANIFEST_A.digest) ? MANIFEST_A.body : MANIFEST_B.body;
}

function difference(
  expected: Decision,
  answer: HttpAnswer,
  exchange: HttpRequest,
  state: Map<string, Mirror>,
  authorizer: Authorizer,
  identity: Identity,
): string {
  const refused = answer.status === 401 || answer.status === 403;
  if (expected.allowed && !refused && !predictable(exchange, state)) return "";
  const error = errorOf(answer, exchange.method);
  const pairs: [string, unknown, unknown][] = [
    ["status", answer.status, expected.status],
    ["code", error.code, exchange.method === "HEAD" || !refused ? error.code : (expected.code ?? "")],
    ["reason", error.reason, exchange.method === "HEAD" || expected.allowed ? error.reason : (expected.reason ?? "")],
    ["challenge", answer.headers["www-authenticate"] ?? "", expected.headers?.["WWW-Authenticate"] ?? ""],
  ];
  if (exchange.path === "/v2/_catalog" && exchange.method === "GET" && answer.status === 200) {
    const listed = [...state.keys()].filter((name) => authorizer.readable(identity, name)).sort();
    pairs.push(["repositories", JSON.parse(answer.body).repositories.sort().join(), listed.join()]);
  }
  return pairs
    .filter(([, is, predicted]) => is !== predicted)
    .map(([what, is, predicted]) => `${what}: zot ${JSON.stringify(is)}, authorizer ${JSON.stringify(predicted)}`)
    .join("; ");
}

function errorOf({ body, headers }: HttpAnswer, method: string): { code: string; reason: string } {
  if (method === "HEAD" || !String(headers["content-type"]).includes("json") || body === "")
    return { code: "", reason: "" };
  const parsed = JSON.parse(body);
  const error = parsed.errors?.[0] ?? parsed;
  return { code: error.code ?? "", reason: error.detail?.reason ?? "" };
}

/** Whether the mirror knows enough: not about bodies, upload sessions, blobs in use and what only the disk tells. */
function predictable({ method, path }: HttpRequest, state: Map<string, Mirror>): boolean {
  if (path.includes("/blobs/uploads/0000") || /^\/(v2\/_|zot|login)?$/.test(path)) return false;
  const [, repository = ""] = /^\/v2\/(.+?)\/(manifests|blobs|referrers)\//.exec(path) ?? [];
  const held = state.get(repository);
  if (path.includes("/manifests/") && method === "PUT")
    return [LAYER, IMAGE_CONFIG].every(({ digest }) => held?.blobs.has(digest));
  // Which repositories the dedupe cache still knows after a deletion is for the storage to say.
  const links = path.includes("?mount=") || (path.includes("/blobs/") && method === "HEAD");
  if (links && [...state.values()].some(({ lostBlob }) => lostBlob)) return false;
  if (path.includes("/blobs/") && method === "DELETE") return path.includes(LOOSE_BLOB.digest) && held !== undefined;
  if (path.includes("/manifests/sha256")) return held !== undefined && !held.uncertain;
  return true;
}

/** Does to the mirror what the request did to the registry. */
function follow(
  state: Map<string, Mirror>,
  { method, path }: HttpRequest,
  { status }: HttpAnswer,
  dedupe: boolean,
): void {
  const [, name = "", kind = "", rest = ""] = /^\/v2\/(.+?)\/(manifests|blobs)\/([^?]*)/.exec(path) ?? [];
  if (kind === "" || status === 401 || status === 403) return;
  const query = new URL(path, "http://registry").searchParams;
  const repository = state.get(name) ?? { tags: new Map(), manifests: new Set(), blobs: new Set(), uncertain: true };
  // A push that fails for want of blobs, and a chunk for an upload that never was, leave a repository behind too.
  const refusedPush =
    method === "PUT" && kind === "manifests" && status === 400 && (rest.includes(":") || !query.has("tag"));
  if (status < 300 ? method === "POST" || method === "HEAD" : refusedPush || method === "PATCH")
    state.set(name, repository);
  if (status >= 300) return;
  if (kind === "blobs") followBlob(repository, method, rest, status === 201 ? query : undefined);
  else followManifest(repository, method, rest, query.getAll("tag"));
  if (kind === "blobs" && method === "HEAD" && dedupe) repository.blobs.add(rest);
}

function followBlob(repository: Mirror, method: string, digest: string, created: URLSearchParams | undefined): void {
  if (method === "DELETE") {
    repository.blobs.delete(digest);
    repository.lostBlob = true;
  }
  const blob = created?.get("mount") ?? created?.get("digest");
  if (method === "POST" && blob) repository.blobs.add(blob);
}

function followManifest(repository: Mirror, method: string, reference: string, tags: readonly string[]): void {
  const byDigest = reference.startsWith("sha256:");
  if (method === "PUT") {
    const digest = byDigest ? reference : MANIFEST_B.digest;
    repository.manifests.add(digest);
    for (const tag of byDigest ? tags : [reference]) repository.tags.set(tag, digest);
    // Which untagged manifests remain after a tag has moved is for the storage to say.
    repository.uncertain = true;
  }
  if (method !== "DELETE") return;
  if (!byDigest) repository.tags.delete(reference);
  else {
    repository.manifests.delete(reference);
    for (const [tag, digest] of repository.tags) if (digest === reference) repository.tags.delete(tag);
  }
}

function complain(tally: Tally, drawn: Drawn, message: string): void {
  tally.differ++;
  console.log(
    `${message}\n  under ${JSON.stringify({ ...drawn.accessControl })} ${JSON.stringify({ ...drawn, accessControl: undefined })}`,
  );
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
