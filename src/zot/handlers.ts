import type { HttpRequest } from "./request";
import type { RepositoryRoute } from "./routes";
import type { RegistryState, RepositoryState } from "./state";
import type { Action } from "./types";

/** zot 2.1.20, pkg/api/routes.go: what its handlers ask for and answer, apart from who asks. */

export interface Holder {
  state: RegistryState;
  dedupe: boolean;
  /** Whether a HEAD or a ranged GET links a blob that another repository holds, as zot before 2.1.21 does with dedupe. */
  linksBlobs: boolean;
  /** Whether a HEAD with a malformed digest is the client's mistake, as from zot 2.1.21 on. */
  checksDigests: boolean;
  /** Whether there is an accessControl at all. */
  authorization: boolean;
  /** Permission of the asking client, conditions not counted. */
  may(action: Action, repository: string): boolean;
}

export interface Answer {
  status: number;
  code?: string;
}

/** Every permission a request needs, with the reference it is asked for, in the order zot asks. */
export function permissionsFor(
  method: string,
  route: RepositoryRoute,
  state: RegistryState,
): readonly (readonly [Action, string])[] {
  const reference = route.kind === "manifest" ? route.reference : "";
  if (method === "GET" || method === "HEAD") return [["read", reference]];
  if (method === "DELETE") return [["delete", reference]];
  if (route.kind !== "manifest") return [["create", ""]];
  return manifestWritePermissions(reference, route.tags, state.get(route.repository));
}

/** zot: manifestWriteAuthzChecks. By digest, every tag is asked for by name and then the digest itself. */
function manifestWritePermissions(
  reference: string,
  tagQuery: readonly string[],
  repository: RepositoryState | undefined,
): readonly (readonly [Action, string])[] {
  const exists = (tag: string) => repository?.tags.has(tag) === true;
  if (!isDigest(reference)) return [[exists(reference) ? "update" : "create", reference]];
  const tags = [...new Set(tagQuery.map((tag) => tag.trim()).filter((tag) => TAG.test(tag)))];
  const moved = tags.filter(exists);
  const added = tags.filter((tag) => !exists(tag));
  return [
    ...moved.map((tag) => ["update", tag] as const),
    ...added.map((tag) => ["create", tag] as const),
    ...(added.length > 0 || moved.length === 0 ? [["create", reference] as const] : []),
    ...(moved.length > 0 ? [["update", reference] as const] : []),
  ];
}

/** The answer to a permitted request. */
export function answerTo(request: HttpRequest, route: RepositoryRoute, holder: Holder): Answer {
  const { method } = request;
  switch (route.kind) {
    case "tags":
      return holder.state.get(route.repository) === undefined ? { status: 404, code: "NAME_UNKNOWN" } : { status: 200 };
    case "referrers":
      return { status: isDigest(route.digest) ? 200 : 400 };
    case "manifest":
      return manifestAnswer(method, route, holder);
    case "blob":
      return blobAnswer(request, route, holder);
    case "upload":
      return uploadAnswer(method, route, holder);
  }
}

type Of<Kind extends RepositoryRoute["kind"]> = Extract<RepositoryRoute, { kind: Kind }>;

function manifestAnswer(method: string, route: Of<"manifest">, { state, may }: Holder): Answer {
  if (method === "PUT") return pushAnswer(route);
  const { reference } = route;
  const repository = state.get(route.repository);
  if (repository === undefined) return { status: method === "DELETE" ? 400 : 404, code: "NAME_UNKNOWN" };
  const digest = isDigest(reference) ? reference : repository.tags.get(reference);
  const tagged = digest === undefined ? 0 : [...repository.tags.values()].filter((d) => d === digest).length;
  if (digest === undefined || (tagged === 0 && !repository.manifests.has(digest))) {
    return { status: 404, code: "MANIFEST_UNKNOWN" };
  }
  if (method !== "DELETE") return { status: 200 };
  const collides = digest === reference && tagged > 1;
  return collides && may("detectManifestCollision", route.repository)
    ? { status: 409, code: "MANIFEST_INVALID" }
    : { status: 202 };
}

function pushAnswer({ reference, tags }: Of<"manifest">): Answer {
  if (!isDigest(reference) && LOOKS_LIKE_DIGEST.test(reference)) return { status: 400, code: "DIGEST_INVALID" };
  if (tags.length > MAX_TAGS_PER_PUSH) return { status: 414, code: "MANIFEST_INVALID" };
  const misplaced = tags.length > 0 && !isDigest(reference);
  if (misplaced || tags.some((tag) => !TAG.test(tag.trim()))) return { status: 400, code: "MANIFEST_INVALID" };
  return { status: 201 };
}

/** As measured; only GET says what is wrong. */
const NO_DIGEST: Record<string, Answer> = {
  GET: { status: 400, code: "DIGEST_INVALID" },
  DELETE: { status: 404 },
};

function blobAnswer({ method, ranged }: HttpRequest, { repository, digest }: Of<"blob">, holder: Holder): Answer {
  if (!isDigest(digest)) return NO_DIGEST[method] ?? { status: holder.checksDigests ? 400 : 500 };
  const held = holder.state.get(repository)?.blobs.has(digest) === true;
  // Such a request links a blob that another repository holds, and so creates the repository asked about.
  const linked = (method === "HEAD" || ranged) && holder.linksBlobs && mayMount(digest, holder);
  if (!held && !linked) return { status: 404, code: "BLOB_UNKNOWN" };
  return { status: method === "DELETE" ? 202 : method === "GET" && ranged ? 206 : 200 };
}

const UPLOAD_SESSION: Record<string, number> = { GET: 204, PATCH: 202, PUT: 201, DELETE: 204 };

function uploadAnswer(method: string, { repository, session, query }: Of<"upload">, holder: Holder): Answer {
  if (session !== "") return { status: UPLOAD_SESSION[method] ?? 405 };
  const [mount] = query.getAll("mount");
  if (mount === undefined) return { status: query.has("from") ? 405 : query.has("digest") ? 201 : 202 };
  const held = holder.state.get(repository)?.blobs.has(mount) === true;
  return { status: mayMount(mount, holder) && (held || holder.dedupe) ? 201 : 202 };
}

/** zot looks for a readable repository with that blob in its dedupe cache, which it has only with dedupe on. */
function mayMount(digest: string, { state, dedupe, authorization, may }: Holder): boolean {
  const holders = [...state.keys()].filter((name) => state.get(name)?.blobs.has(digest) === true);
  if (!authorization) return holders.length > 0;
  return dedupe && holders.some((name) => may("read", name));
}

/** Algorithms of Go's opencontainers/go-digest. */
const DIGEST = /^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
const LOOKS_LIKE_DIGEST = /^(sha256|sha384|sha512):./;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** zot: constants.MaxManifestDigestQueryTags */
const MAX_TAGS_PER_PUSH = 46;

const isDigest = (reference: string) => DIGEST.test(reference);
