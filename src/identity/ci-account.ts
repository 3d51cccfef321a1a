import * as authentik from "@pulumi/authentik";
import * as pulumi from "@pulumi/pulumi";
import type { CiIdentity } from "../settings/access";

export interface CiAccountArgs {
  /** User name, in Authentik and in the registry. */
  username: string;
  /** Id of the one group whose rights it has. */
  group: pulumi.Input<string>;
  /** What it logs in to. */
  client: pulumi.Resource;
  appPassword: CiIdentity["appPassword"];
}

/** A service account for one CI identity, with the app password it logs in with. */
export class CiAccount extends pulumi.ComponentResource {
  readonly username: pulumi.Output<string>;
  /** Secret. */
  readonly appPassword: pulumi.Output<string>;

  constructor(
    readonly name: string,
    { username, group, client, appPassword: { rotate } }: CiAccountArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("harden-zot:identity:CiAccount", name, {}, options);
    const user = new authentik.User(
      `${name}-user`,
      { username, name: username, type: "service_account", path: "goauthentik.io/service-accounts", groups: [group] },
      // No two may have the name. And it is gone before the client is: Authentik deletes what the account was logged in with
      // along with either, and where both are under way PostgreSQL breaks one of them off (docs/facts.md, 405).
      { parent: this, deleteBeforeReplace: true, dependsOn: client },
    );
    const token = new authentik.Token(
      `${name}-app-password`,
      {
        identifier: `${username}-app-password`,
        description: `How ${username} logs in to the registry; kept by Pulumi${rotate ? `; ${rotate}` : ""}`,
        user: user.id.apply(Number),
        intent: "app_password",
        retrieveKey: true,
        // Left to its default it dies after 30 minutes and comes back with another key.
        expiring: false,
      },
      // No two may have the identifier. Authentik removes it with its user; and another text asks for another one.
      { parent: this, deleteBeforeReplace: true, replaceOnChanges: ["user", "description"] },
    );
    this.username = user.username;
    this.appPassword = pulumi.secret(token.key);
    this.registerOutputs({});
  }
}
