import { withoutProof, withProof } from "../config/proof";
import { RESERVED_NAMESPACE } from "../settings/vocabulary";
import type { RepositoryPolicy, ZotConfig } from "../zot/types";

/**
 * A hardened registry without the stack: what anonymous clients could read they still can, nobody can write, nobody logs
 * in, and zot needs no issuer to start. It carries our mark, so that it is never taken for the configuration from before.
 */
export function readOnly(config: ZotConfig): ZotConfig {
  const { auth: _, accessControl, ...http } = withoutProof(config).http;
  const places = accessControl?.repositories ?? { "**": READABLE };
  const metrics = accessControl?.metrics && {
    metrics: { anonymousPolicy: accessControl.metrics.anonymousPolicy ?? [] },
  };
  const closed = { ...config, http: { ...http, accessControl: { repositories: forAnonymous(places), ...metrics } } };
  // Without any place that somebody may read zot refuses access control that knows no users (zot 2.1.20).
  const marked = withProof(closed, { [`${RESERVED_NAMESPACE}/read-only`]: READABLE });
  const repositories = forAnonymous(marked.http.accessControl?.repositories ?? {});
  return { ...marked, http: { ...marked.http, accessControl: { ...marked.http.accessControl, repositories } } };
}

const READABLE: RepositoryPolicy = { anonymousPolicy: ["read"] };

/** The lists stay where they are empty: zot's loader drops a place that says nothing. */
function forAnonymous(places: Record<string, RepositoryPolicy>): Record<string, RepositoryPolicy> {
  const readable = ({ anonymousPolicy = [] }: RepositoryPolicy): RepositoryPolicy => ({
    anonymousPolicy: anonymousPolicy.filter((action) => action === "read"),
    policies: [],
  });
  return Object.fromEntries(Object.entries(places).map(([place, policy]) => [place, readable(policy)]));
}
