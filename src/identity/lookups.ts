import * as authentik from "@pulumi/authentik";
import type { InvokeOptions } from "@pulumi/pulumi";
import { OperatorError } from "../settings/errors";
import type { Settings } from "../settings/settings";

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
export async function lookUpExisting({ authentikUrl, identity }: Settings): Promise<Existing> {
  const options: InvokeOptions = {};
  const ask = <Result>(setting: string, value: string, answer: Promise<Result>) =>
    answer.catch((error: unknown) => {
      throw explain(authentikUrl, setting, value, error);
    });
  const flow = async (setting: "authorizationFlow" | "invalidationFlow") => {
    const slug = identity[setting];
    return (await ask(`harden-zot:identity.${setting}`, slug, authentik.getFlow({ slug }, options))).id;
  };
  const group = async (name: string) => {
    const found = await ask(
      "harden-zot:identity.existingGroups",
      name,
      authentik.getGroup({ name, includeUsers: false }, options),
    );
    return [name, found.id] as const;
  };
  const [authorizationFlow, invalidationFlow, mappings, certificate, ...groups] = await Promise.all([
    flow("authorizationFlow"),
    flow("invalidationFlow"),
    ask(
      "scope mappings",
      SCOPES.join(", "),
      authentik.getPropertyMappingProviderScope({ managedLists: SCOPES }, options),
    ),
    ask(
      "harden-zot:identity.signingKey",
      identity.signingKey,
      // Without fetchKey: false the private key would be read into the state.
      authentik.getCertificateKeyPair({ name: identity.signingKey, fetchKey: false, fetchCertificate: false }, options),
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

/** The provider's own words are kept at the end: they name the request that failed. */
function explain(url: string, setting: string, value: string, error: unknown): OperatorError {
  const cause = error instanceof Error ? error.message : String(error);
  if (/403|Token invalid|credentials were not provided/i.test(cause)) {
    return new OperatorError(
      `Authentik at ${url} refused the API token: create one for an admin account (Directory > Tokens, intent API) and put it in AUTHENTIK_TOKEN. It said: ${oneLine(cause)}`,
    );
  }
  if (/No matching|not found|404|Select a valid choice/i.test(cause)) {
    return new OperatorError(
      `${setting} = ${JSON.stringify(value)}: Authentik at ${url} has no such object; correct the setting or create it there first. It said: ${oneLine(cause)}`,
    );
  }
  return new OperatorError(
    `Authentik at ${url} (authentik:url) does not answer as expected: check the URL and that the server is up; nothing was changed. It said: ${oneLine(cause)}`,
  );
}

const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();
