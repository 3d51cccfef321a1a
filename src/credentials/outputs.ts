import * as pulumi from "@pulumi/pulumi";
import type { CiKey } from "./ci-key";
import { dockerConfigJson, type HandOver, loginLines } from "./handover";
import { daysLeft } from "./rotation";

/** The stack outputs for CI: what anybody may see, by identity, and what nobody may. */
export function ciOutputs(keys: CiKey[]) {
  const handOvers = keys.map(({ handOver }) => handOver);
  const byIdentity = <Result>(describe: (handOver: HandOver) => Result) =>
    pulumi.all(handOvers).apply((all) => Object.fromEntries(all.map((one) => [one.username, describe(one)])));
  return {
    ci: pulumi.unsecret(byIdentity(describeKey)),
    ciSecrets: pulumi.secret(byIdentity((one) => ({ apiKey: one.apiKey, dockerConfigJson: dockerConfigJson(one) }))),
    // Of the first identity, to be written to a file as it is.
    ...(handOvers[0] ? { ciDockerConfig: pulumi.secret(handOvers[0].apply(dockerConfigJson)) } : {}),
  };
}

/** Holds no secret. */
function describeKey({ expiresAt, registry, username }: HandOver) {
  const login = loginLines({ registry, username });
  return { registry, username, expiresAt, daysLeft: daysLeft(expiresAt, new Date()), login };
}
