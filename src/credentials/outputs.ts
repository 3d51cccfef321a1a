import * as pulumi from "@pulumi/pulumi";
import type { CiKey } from "./ci-key";
import { dockerConfigJson, type HandOver, loginLines } from "./handover";
import { daysLeft } from "./rotation";

/** The stack outputs for CI: what anybody may see, by identity, and what nobody may. */
export function ciOutputs(keys: CiKey[]) {
  const handOvers = keys.map(({ handOver }) => handOver);
  return {
    ci: byIdentity(keys.map(describeKey)),
    ciSecrets: pulumi.secret(byIdentity(handOvers.map((handOver) => handOver.apply(secretsOf)))),
    // Of the first identity, to be written to a file as it is.
    ...(handOvers[0] ? { ciDockerConfig: pulumi.secret(handOvers[0].apply(dockerConfigJson)) } : {}),
  };
}

const byIdentity = <Described>(all: pulumi.Output<[identity: string, Described]>[]) =>
  pulumi.all(all).apply((all) => Object.fromEntries(all) as Record<string, Described>);

/** Holds no secret. */
function describeKey({ handOver, labels }: CiKey) {
  return pulumi
    .all([pulumi.unsecret(handOver), labels])
    .apply(([{ expiresAt, registry, username }, keyLabels]): [string, object] => {
      const login = loginLines({ registry, username });
      const left = daysLeft(expiresAt, new Date());
      return [username, { registry, username, expiresAt, daysLeft: left, keyLabels, login }];
    });
}

function secretsOf(handOver: HandOver): [string, object] {
  return [handOver.username, { apiKey: handOver.apiKey, dockerConfigJson: dockerConfigJson(handOver) }];
}
