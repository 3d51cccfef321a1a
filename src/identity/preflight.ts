import * as pulumi from "@pulumi/pulumi";
import { trustedCa } from "../http/ca";
import type { Settings } from "../settings/settings";
import { type AuthentikApi, connectAuthentik } from "./authentik-api";
import { requireIssuer } from "./issuer";
import { requireProviderTrust } from "./provider-trust";
import { issuerUrl } from "./urls";

export interface Preflight {
  api: AuthentikApi;
  /** The registry's client is there, and Authentik would refuse every login of it. */
  lacksGrantTypes: boolean;
}

/**
 * Whether Authentik can be worked with, and would let zot start and people log in, before anything is planned.
 * @throws OperatorError
 */
export async function preflight(settings: Settings, token: string): Promise<Preflight> {
  const { authentikUrl, identity, registry } = settings;
  const ca = trustedCa(registry);
  const api = await connectAuthentik(authentikUrl, token, ca);
  const [lacking] = await Promise.all([
    lacksGrantTypes(api, identity.clientId),
    requireIssuer(issuerUrl(settings), ca),
    registry.caFile && requireProviderTrust(authentikUrl, registry.caFile),
  ]);
  if (lacking) pulumi.log.warn(healing(identity.clientId));
  return { api, lacksGrantTypes: lacking };
}

/** Authentik before 2026.5 knows no grant types and says none. */
export async function lacksGrantTypes(api: AuthentikApi, clientId: string): Promise<boolean> {
  const { results } = await api.get<{ results: { grant_types?: string[] }[] }>(
    `providers/oauth2/?client_id=${encodeURIComponent(clientId)}`,
  );
  return results.some(({ grant_types }) => grant_types && !grant_types.includes("authorization_code"));
}

const healing = (clientId: string) =>
  `the client ${clientId} in Authentik has not the grant type authorization_code, so that every login of the registry ends in invalid_request: this run gives it back. Where no update of it is listed, the state does not know that it is gone: pulumi up --refresh`;
