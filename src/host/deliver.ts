import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { issuerUrl, type RelyingParty } from "../identity/relying-party";
import type { Settings } from "../settings/settings";
import { RegistryHost } from "./registry-host";

/** Host after host in the order of the settings: when one fails, the rest is untouched. */
export function deliver(settings: Settings, relyingParty: RelyingParty): RegistryHost[] {
  const sessionKeys = createSessionKeys();
  const delivered: RegistryHost[] = [];
  for (const host of settings.hosts) {
    const previous = delivered.at(-1);
    delivered.push(
      new RegistryHost(
        host.address,
        { host, settings, issuer: issuerUrl(settings), clientSecret: relyingParty.clientSecret, sessionKeys },
        // The issuer must answer before a host may be told to trust it.
        { dependsOn: previous ? [relyingParty, previous] : relyingParty },
      ),
    );
  }
  return delivered;
}

/** zot takes an encryptKey of exactly 16, 24 or 32 bytes; with any other every login ends in 500. */
function createSessionKeys(): pulumi.Output<string> {
  const key = (name: string) => new random.RandomPassword(name, { length: 32, special: false }).result;
  return pulumi
    .all([key("session-hash-key"), key("session-encrypt-key")])
    .apply(([hashKey, encryptKey]) => JSON.stringify({ hashKey, encryptKey }));
}
