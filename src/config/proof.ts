import { createHash } from "node:crypto";
import { OperatorError } from "../operator/error";
import { RESERVED_NAMESPACE } from "../settings/vocabulary";
import type { AccessControl, RepositoryPolicy, ZotConfig } from "../zot/types";
import { overlap, padded } from "./patterns";

/** Followed by the configuration's sha256. */
export const PROOF_PREFIX = `${RESERVED_NAMESPACE}/proof-`;

/** zot's loader drops an empty object, and with it the pattern; empty lists stay. */
const CLOSED: RepositoryPolicy = { anonymousPolicy: [], defaultPolicy: [], policies: [] };
const READABLE: RepositoryPolicy = { anonymousPolicy: ["read"], defaultPolicy: ["read"] };

/**
 * Gives a configuration a mark by which zot tells it from every other: a repository that does not exist, named by
 * the configuration's sha256, in a namespace that is otherwise closed. An anonymous client that asks for its tags is
 * answered 404 once this very configuration is in force, and 401 before. The host agent asks so after a reload.
 *
 * A configuration that opens nothing to anonymous clients gets none: a first anonymousPolicy changes what zot answers
 * to all of them (zot 2.1.20: `GET /v2/` and others go from 401 to 200). Nor does a member of a cluster: it hands the
 * question on to whichever member the repository falls to, whose answer says nothing of its own configuration.
 * @param own what else the program keeps in its namespace, by repository
 * @throws OperatorError when a rule names the reserved namespace
 */
export function withProof(config: ZotConfig, own: Record<string, RepositoryPolicy> = {}): ZotConfig {
  const { accessControl } = config.http;
  const repositories = accessControl?.repositories ?? {};
  const patterns = Object.keys(repositories);
  const taken = patterns.find(isReserved);
  if (taken !== undefined) {
    throw new OperatorError(
      `the access rules name ${JSON.stringify(taken)}: ${RESERVED_NAMESPACE}/ is reserved for the proof that a configuration is in force, and for its verification; rename that cache of harden-zot:registry.pullThrough, or take it out of harden-zot:registry.extraConfig`,
    );
  }
  const provable =
    config.cluster === undefined &&
    Object.values(repositories).some(({ anonymousPolicy }) => anonymousPolicy?.includes("read"));
  if (!provable && Object.keys(own).length === 0) return config;
  const closed = longerThanAll(`${RESERVED_NAMESPACE}/**`, patterns);
  const within = (repository: string) => longerThanAll(repository, [...patterns, closed]);
  const guarded = withRepositories(config, {
    ...repositories,
    [closed]: CLOSED,
    ...Object.fromEntries(Object.entries(own).map(([repository, policy]) => [within(repository), policy])),
  });
  if (!provable) return guarded;
  const id = createHash("sha256").update(JSON.stringify(guarded)).digest("hex").slice(0, 12);
  const proof = { [within(`${PROOF_PREFIX}${id}`)]: READABLE };
  return withRepositories(guarded, { ...guarded.http.accessControl?.repositories, ...proof });
}

/** The configuration without what the program keeps in its namespace: the operator's own rules. */
export function withoutProof(config: ZotConfig): ZotConfig {
  const repositories = config.http.accessControl?.repositories;
  if (repositories === undefined || !Object.keys(repositories).some(isReserved)) return config;
  return withRepositories(
    config,
    Object.fromEntries(Object.entries(repositories).filter(([pattern]) => !isReserved(pattern))),
  );
}

const isReserved = (pattern: string) =>
  pattern
    .replace(/^\{,*\}/, "")
    .toLowerCase()
    .split("/")[0] === RESERVED_NAMESPACE;

/** zot applies the longest pattern alone. */
function longerThanAll(pattern: string, others: readonly string[]): string {
  const rivals = others.filter((other) => overlap(pattern, other)).map((other) => Buffer.byteLength(other));
  const [natural, longest] = [Buffer.byteLength(pattern), Math.max(0, ...rivals)];
  return natural > longest ? pattern : padded(pattern, Math.max(natural + 2, longest + 1));
}

function withRepositories(config: ZotConfig, repositories: NonNullable<AccessControl["repositories"]>): ZotConfig {
  return {
    ...config,
    http: { ...config.http, accessControl: { ...config.http.accessControl, repositories } },
  };
}
