import { readFileSync } from "node:fs";
import { createAuthorizer, type Decision, type Identity } from "../src/zot/authorizer";
import type { RegistryState } from "../src/zot/state";
import type { ZotConfig } from "../src/zot/types";

/**
 * Decisions recorded from a running zot: a line with the configuration and the state it was asked in, then a line
 * per decision, as an object or, as tests/vectors keeps them, as the list of its fields.
 */
export interface Recording {
  id: string;
  config: ZotConfig;
  state: RecordedState;
  decisions: RecordedDecision[];
}

interface RecordedState {
  repos: string[];
  tags: string[];
  allTagsPointTo: string;
  otherDigest: string;
}

export interface RecordedDecision {
  identity: string;
  action: string;
  method: string;
  path: string;
  ua?: string;
  status: number;
  code: string | null;
  reason?: string;
  wwwAuthenticate?: string;
  repositories?: string[];
}

const FIELDS = [
  ..."identity action method path status code".split(" "),
  ..."wwwAuthenticate reason ua repositories".split(" "),
] as (keyof RecordedDecision)[];

/** A row is shortened to the last field that it has. */
function fromRow(row: unknown[]): RecordedDecision {
  return Object.fromEntries(
    FIELDS.map((field, index) => [field, row[index] ?? undefined]),
  ) as unknown as RecordedDecision;
}

export function readRecording(file: string): Recording {
  const [head, ...rows] = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  if (head?.kind !== "config") throw new Error(`${file}: the first line must hold the configuration (kind: config)`);
  const decisions = rows.map((row) => (Array.isArray(row) ? fromRow(row) : row));
  return { id: head.id, config: head.config, state: head.state, decisions };
}

/** Answers every decision of the recording anew. */
export function replay({ config, state }: Recording): (decision: RecordedDecision) => Partial<RecordedDecision> {
  const authorizer = createAuthorizer(config);
  const registry = registryState(state);
  return (decision) => {
    const identity = identityOf(decision.identity);
    const path = decision.path.replace(/\{(\w+)\}/g, (_, name: string) => digestNamed(name, state));
    const request = { method: decision.method, path, ...(decision.ua ? { userAgent: decision.ua } : {}) };
    const answer = withRecordersManifest(authorizer.decide(identity, request, registry), decision, registry);
    return {
      ...answer,
      ...(path.startsWith("/v2/_catalog") && answer.status === 200
        ? { repositories: state.repos.filter((name) => authorizer.readable(identity, name)).sort() }
        : {}),
    };
  };
}

/** What differs, as text; empty when the answer agrees. */
export function difference(recorded: RecordedDecision, answer: Partial<RecordedDecision>): string {
  const seen = recorded.method === "HEAD" ? FIELDS.filter((field) => field !== "code") : FIELDS;
  return seen
    .slice(seen.indexOf("status"))
    .filter((field) => field !== "ua")
    .flatMap((field) => {
      const [is, was] = [answer[field], recorded[field]].map((value) => JSON.stringify(value ?? null));
      return is === was ? [] : [`${field}: zot ${was}, authorizer ${is}`];
    })
    .join("; ");
}

function identityOf(name: string): Identity {
  if (name === "anonymous") return { kind: "anonymous" };
  if (name === "wrong") return { kind: "wrong-credentials" };
  return { kind: "user", name, groups: [], via: "htpasswd" };
}

/** The recorder's manifests refer to blobs, which a repository that does not exist cannot hold. */
function withRecordersManifest(
  decision: Decision,
  { method, path }: RecordedDecision,
  registry: RegistryState,
): Partial<RecordedDecision> {
  const [, repository = ""] = /^\/v2\/(.+)\/manifests\//.exec(path) ?? [];
  if (decision.allowed && decision.status === 201 && method === "PUT" && registry.get(repository) === undefined) {
    return { status: 400, code: "MANIFEST_INVALID" };
  }
  return {
    status: decision.status,
    code: decision.code ?? null,
    ...(decision.allowed || decision.reason === undefined ? {} : { reason: decision.reason }),
    ...(decision.headers?.["WWW-Authenticate"] ? { wwwAuthenticate: decision.headers["WWW-Authenticate"] } : {}),
  };
}

function registryState({ repos, tags, allTagsPointTo, otherDigest }: RecordedState): RegistryState {
  const repository = {
    tags: new Map(tags.map((tag) => [tag, allTagsPointTo])),
    manifests: new Set([allTagsPointTo, otherDigest]),
    blobs: new Set(["blobA", "blobN"].map(blobNamed)),
  };
  return new Map(repos.map((name) => [name, repository]));
}

function digestNamed(name: string, state: RecordedState): string {
  if (name === "A") return state.allTagsPointTo;
  return name === "B" ? state.otherDigest : blobNamed(name);
}

const blobNamed = (name: string) => `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0")}`;
