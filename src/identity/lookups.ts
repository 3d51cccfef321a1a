import * as authentik from "@pulumi/authentik";
import { OperatorError } from "../settings/errors";
import type { Settings } from "../settings/settings";
import { requireAuthentik } from "./authentik-api";

/** What Authentik holds already and the stack only refers to. */
export interface Existing {
  authorizationFlow: string;
  invalidationFlow: string;
  /** Scope mappings openid, email, profile; groups come with profile. */
  scopeMappings: string[];
  signingKey: string;
  /** Name of a group that the stack does not create -> its id. */
  groups: Map<string, string>;
}

const SCOPES = ["openid", "email", "profile"].map((scope) => `goauthentik.io/providers/oauth2/scope-${scope}`);

/**
 * Asked before any resource is registered, so a wrong token or a misspelt flow stops the program with nothing touched.
 * @throws OperatorError
 */
export async function lookUpExisting({ authentikUrl, identity }: Settings, token: string): Promise<Existing> {
  await requireAuthentik(authentikUrl, token);
  const ask = <Result>(setting: string, value: string, answer: Promise<Result>) =>
    answer.catch(() => {
      throw missing(authentikUrl, setting, value);
    });
  const flow = async (setting: "authorizationFlow" | "invalidationFlow") => {
    const slug = identity[setting];
    return (await ask(`harden-zot:identity.${setting}`, slug, authentik.getFlow({ slug }))).id;
  };
  const group = async (name: string) => {
    const found = await ask(
      "harden-zot:identity.existingGroups",
      name,
      authentik.getGroup({ name, includeUsers: false }),
    );
    return [name, found.id] as const;
  };
  const [authorizationFlow, invalidationFlow, mappings, certificate, ...groups] = await Promise.all([
    flow("authorizationFlow"),
    flow("invalidationFlow"),
    ask("scope mappings", SCOPES.join(", "), authentik.getPropertyMappingProviderScope({ managedLists: SCOPES })),
    ask(
      "harden-zot:identity.signingKey",
      identity.signingKey,
      // Without fetchKey: false the private key would be read into the state.
      authentik.getCertificateKeyPair({ name: identity.signingKey, fetchKey: false, fetchCertificate: false }),
    ),
    ...identity.existingGroups.map(group),
  ]);
  return {
    authorizationFlow,
    invalidationFlow,
    scopeMappings: mappings.ids,
    signingKey: certificate.id,
    groups: new Map(groups),
  };
}

/** The bridge has logged the provider's own words; its error is empty. */
function missing(url: string, setting: string, value: string): OperatorError {
  return new OperatorError(
    `${setting} = ${JSON.stringify(value)}: Authentik at ${url} has no such object (or the lookup failed otherwise: the provider's own words stand above); correct the setting, or create it there first. Nothing was changed.`,
  );
}
