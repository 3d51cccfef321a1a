import { RESERVED_NAMESPACE } from "../settings/vocabulary";
import { withoutProof, withProof } from "../zot/proof";
import type { RepositoryPolicy, ZotConfig } from "../zot/types";

/**
 * A hardened registry without the stack: what anonymous clients could read they still can, nobody can write, nobody logs
 * in, and zot needs no issuer to start. It carries our mark, so that it is never taken for the configuration from before.
 */
export function readOnly(config: ZotConfig): ZotConfig {
  const { auth: _, accessControl, ...http } = withoutProof(config).http;
  const places = accessControl?.repositories ?? { "**": { anonymousPolicy: ["read"] } };
  const repositories = Object.fromEntries(Object.entries(places).map(([place, policy]) => [place, readable(policy)]));
  const anonymousMetrics = accessControl?.metrics?.anonymousPolicy;
  const metrics = accessControl?.metrics ? { metrics: { anonymousPolicy: anonymousMetrics ?? [] } } : {};
  return withProof(
    { ...config, http: { ...http, accessControl: { repositories, ...metrics } } },
    { [`${RESERVED_NAMESPACE}/read-only`]: { anonymousPolicy: [], policies: [] } },
  );
}

const readable = ({ anonymousPolicy = [] }: RepositoryPolicy): RepositoryPolicy => ({
  anonymousPolicy: anonymousPolicy.filter((action) => action === "read"),
  policies: [],
});
