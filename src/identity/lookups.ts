import * as authentik from "@pulumi/authentik";
import { OperatorError } from "../operator/error";
import type { Settings } from "../settings/settings";
import type { AuthentikApi } from "./authentik-api";
import { preflight } from "./preflight";

/** What Authentik holds already and the stack only refers to. */
export interface Existing {
  authorizationFlow: string;
  invalidationFlow: string;
  /** Scope mappings openid, email, profile; groups come with profile. */
  scopeMappings: string[];
  signingKey: string;
  /** Name of a group that the stack does not create -> its id. */
  groups: Map<string, string>;
  /** The registry's client is there, and Authentik would refuse every login of it. */
  lacksGrantTypes: boolean;
}

const SCOPES = ["openid", "email", "profile"].map((scope) => `goauthentik.io/providers/oauth2/scope-${scope}`);

/**
 * Asked before any resource is registered, so a wrong token or a misspelt flow stops the program with nothing touched.
 * @throws OperatorError
 */
export async function lookUpExisting(settings: Settings, token: string): Promise<Existing> {
  const { authentikUrl, identity } = settings;
  const { api, lacksGrantTypes } = await preflight(settings, token);
  const lookups = new Lookups(authentikUrl, api);
  const [authorizationFlow, invalidationFlow, scopeMappings, signingKey, ...groups] = await Promise.all([
    lookups.flow("authorizationFlow", identity.authorizationFlow),
    lookups.flow("invalidationFlow", identity.invalidationFlow),
    lookups.scopeMappings(),
    lookups.certificate(identity.signingKey),
    ...identity.existingGroups.map(async (name) => [name, await lookups.group(name)] as const),
  ]);
  return { authorizationFlow, invalidationFlow, scopeMappings, signingKey, groups: new Map(groups), lacksGrantTypes };
}

/** Ids by name, from the Terraform provider: what it cannot look up it could not refer to either. */
class Lookups {
  constructor(
    private readonly url: string,
    private readonly api: AuthentikApi,
  ) {}

  async flow(setting: "authorizationFlow" | "invalidationFlow", slug: string): Promise<string> {
    const path = `flows/instances/?${new URLSearchParams({ slug })}`;
    return (await this.explained(`harden-zot:identity.${setting}`, slug, path, authentik.getFlow({ slug }))).id;
  }

  async group(name: string): Promise<string> {
    const path = `core/groups/?${new URLSearchParams({ name })}`;
    const found = authentik.getGroup({ name, includeUsers: false });
    return (await this.explained("harden-zot:identity.existingGroups", name, path, found)).id;
  }

  async certificate(name: string): Promise<string> {
    const path = `crypto/certificatekeypairs/?${new URLSearchParams({ name })}`;
    // Without fetchKey: false the private key would be read into the state.
    const found = authentik.getCertificateKeyPair({ name, fetchKey: false, fetchCertificate: false });
    return (await this.explained("harden-zot:identity.signingKey", name, path, found)).id;
  }

  async scopeMappings(): Promise<string[]> {
    const path = `propertymappings/provider/scope/?${new URLSearchParams(SCOPES.map((scope): [string, string] => ["managed", scope]))}`;
    const found = authentik.getPropertyMappingProviderScope({ managedLists: SCOPES });
    return (await this.explained("scope mappings", SCOPES.join(", "), path, found)).ids;
  }

  /** The bridge has logged the provider's own words, and its error is empty: Authentik is asked what it is. */
  private explained<Found>(setting: string, value: string, path: string, found: Promise<Found>): Promise<Found> {
    return found.catch(async () => {
      const what = `${setting} = ${JSON.stringify(value)}: Authentik at ${this.url}`;
      throw new OperatorError(
        (await this.api.finds(path))
          ? `${what} has it, and the Terraform provider could not look it up: its own words stand above. With x509 among them it does not trust Authentik's certificate: add the CA to this machine's, or name it in SSL_CERT_FILE. Nothing was changed.`
          : `${what} has no such object; correct the setting, or create it there first. Nothing was changed.`,
      );
    });
  }
}
