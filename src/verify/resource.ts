import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { CiKey } from "../credentials/ci-key";
import type { RegistryHost } from "../host/registry-host";
import { trustedCa } from "../http/ca";
import { commandLine } from "../operator/command-line";
import type { Settings } from "../settings/settings";
import { targetOf } from "./target";

export interface VerifiedStack {
  oidcIssuer: string;
  redirectUri: string;
  hosts: (Pick<RegistryHost, "configSha256" | "heal"> & pulumi.Resource)[];
  keys: (Pick<CiKey, "handOver" | "labels"> & pulumi.Resource)[];
}

/**
 * The last resource of an `up`: the verification of the running registry, again whenever a configuration or a key has
 * changed, or a host was healed. One check that fails fails the `up`, which then shows the table; the next `up` runs it again.
 */
export function verifyRegistry(settings: Settings, { hosts, keys, ...login }: VerifiedStack): local.Command {
  const ca = trustedCa(settings.registry);
  const held = pulumi.all(
    keys.map(({ handOver, labels }) =>
      pulumi.all([handOver, labels]).apply(([handOver, keyLabels]) => ({ ...handOver, keyLabels })),
    ),
  );
  const changed = pulumi.all(hosts.map(({ configSha256, heal }) => pulumi.all([configSha256, heal])));
  const request = pulumi.all([held, changed]).apply(([handOvers, changed]) => {
    const byUser = Object.fromEntries(handOvers.map((handOver) => [handOver.username, handOver]));
    const target = targetOf(settings, { ...login, ci: byUser, ciSecrets: byUser }, { ca });
    // What has changed is not read there: it makes the input another one, and so the command run again.
    return JSON.stringify({ ...target, changed });
  });
  return new local.Command(
    "verification",
    {
      create: commandLine("verify", "--stdin"),
      stdin: pulumi.secret(request),
      addPreviousOutputInEnv: false,
    },
    { dependsOn: [...hosts, ...keys] },
  );
}
