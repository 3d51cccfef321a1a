import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { commandLine } from "../../operator/command-line";
import { OperatorError } from "../../operator/error";
import { type Destination, namesOf, placeOf } from "../../settings/publish";
import { secretSetting } from "../../settings/secret";
import type { HandOver } from "../handover";

/**
 * Writes an identity's key to its destinations, again whenever it changes, and takes it back when the destination or the
 * identity goes. stdout of each is a Report (./program.ts).
 * @param name what the resources are called after
 * @throws OperatorError when the stack has no secret of the name that a destination gives for its token
 */
export function publishKey(
  name: string,
  destinations: Destination[],
  handover: pulumi.Output<HandOver>,
  options?: pulumi.CustomResourceOptions,
): local.Command[] {
  return destinations.map(
    (destination) =>
      new local.Command(
        `${name}-publish-${placeOf(destination)}`,
        {
          create: commandLine("publish", "publish"),
          delete: commandLine("publish", "withdraw"),
          stdin: pulumi.secret(pulumi.jsonStringify({ destination, token: tokenFor(destination), handover })),
          // Under other names: the old ones are withdrawn first, since the new may overlap with them.
          triggers: namesOf(destination),
          logging: local.Logging.None,
          addPreviousOutputInEnv: false,
        },
        { ...options, deleteBeforeReplace: true },
      ),
  );
}

function tokenFor({ forgejo, github }: Destination): pulumi.Output<string> | undefined {
  const name = (forgejo ?? github)?.token;
  if (name === undefined) return undefined;
  const token = secretSetting(`harden-zot:${name}`, "an API token", "revoke it there, make another");
  if (token) return pulumi.secret(token);
  throw new OperatorError(
    `harden-zot:ci: publish names the secret ${name} as its token, and this stack has none of that name: run \`pulumi config set --secret harden-zot:${name}\``,
  );
}
