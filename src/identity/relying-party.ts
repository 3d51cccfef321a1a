import * as authentik from "@pulumi/authentik";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { groupsIn, type Settings } from "../settings/settings";
import type { Existing } from "./lookups";
import { redirectUri } from "./urls";

/**
 * Authentik 2026.5 gives a client no grant type by itself, and answers what a redirect URI is for; before, it knows neither. What
 * a server does not know would be a difference for ever, and so both are said when the client is made and then ignored.
 */
const REDIRECT_URI_TYPE = "allowedRedirectUris[0].redirect_uri_type";

/** The registry as Authentik knows it: client, application, and who may log in to it. */
export class RelyingParty extends pulumi.ComponentResource {
  readonly clientSecret: pulumi.Output<string>;
  readonly client: authentik.ProviderOauth2;
  /** Every group that a rule names -> its id in Authentik. */
  private readonly groups: Map<string, pulumi.Input<string>>;

  constructor(name: string, settings: Settings, existing: Existing, options?: pulumi.ComponentResourceOptions) {
    super("harden-zot:identity:RelyingParty", name, {}, options);
    this.clientSecret = this.createClientSecret();
    this.groups = this.resolveGroups(settings, existing);
    this.client = this.createProvider(settings, existing);
    const application = this.createApplication(settings, this.client);
    this.admitGroups(application);
    this.registerOutputs({});
  }

  /** Id of a group that a rule names. */
  group(name: string): pulumi.Input<string> {
    return this.groups.get(name) as pulumi.Input<string>;
  }

  private createClientSecret(): pulumi.Output<string> {
    return new random.RandomPassword("client-secret", { length: 64, special: false }, { parent: this }).result;
  }

  private createProvider(settings: Settings, existing: Existing): authentik.ProviderOauth2 {
    const { identity } = settings;
    return new authentik.ProviderOauth2(
      "client",
      {
        name: identity.name,
        clientId: identity.clientId,
        clientSecret: this.clientSecret,
        clientType: "confidential",
        authorizationFlow: existing.authorizationFlow,
        invalidationFlow: existing.invalidationFlow,
        grantTypes: ["authorization_code"],
        allowedRedirectUris: [
          { matching_mode: "strict", url: redirectUri(settings), redirect_uri_type: "authorization" },
        ],
        propertyMappings: existing.scopeMappings,
        // Without one Authentik signs with the client secret (HS256) and every login ends in 401.
        signingKey: existing.signingKey,
        subMode: "hashed_user_id",
        includeClaimsInIdToken: true,
      },
      {
        parent: this,
        ignoreChanges: existing.lacksGrantTypes ? [REDIRECT_URI_TYPE] : ["grantTypes", REDIRECT_URI_TYPE],
      },
    );
  }

  private createApplication(
    { identity, registry }: Settings,
    provider: authentik.ProviderOauth2,
  ): authentik.Application {
    return new authentik.Application(
      "application",
      {
        name: identity.name,
        slug: identity.slug,
        protocolProvider: provider.id.apply(Number),
        metaLaunchUrl: registry.externalUrl,
        policyEngineMode: "any",
      },
      { parent: this },
    );
  }

  /**
   * A group that the stack creates has no argument but its name, and the name is its identity here. So it is never
   * updated in place: Authentik's provider updates by a PUT of the whole object from state, which would throw out
   * every member that joined since the last refresh (docs/facts.md, group membership).
   */
  private resolveGroups(settings: Settings, existing: Existing): Map<string, pulumi.Input<string>> {
    return new Map(
      groupsIn(settings).map((name) => [
        name,
        existing.groups.get(name) ?? new authentik.Group(name, { name }, { parent: this }).id,
      ]),
    );
  }

  /** With no binding at all everybody with an account could log in. */
  private admitGroups(application: authentik.Application): void {
    [...this.groups].forEach(([name, group], order) => {
      new authentik.PolicyBinding(`admit-${name}`, { target: application.uuid, group, order }, { parent: this });
    });
  }
}
