import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { RelyingParty } from "../identity/relying-party";
import { issuerUrl } from "../identity/urls";
import type { HostSettings } from "../settings/hosts";
import type { Settings } from "../settings/settings";
import type { HostPlan } from "./plan";
import { RegistryHost } from "./registry-host";

/** Host after host in the order of the settings: when one fails, the rest is untouched. */
export function deliver(settings: Settings, plans: HostPlan[], relyingParty: RelyingParty): RegistryHost[] {
  const sessionKeys = createSessionKeys();
  const delivered: RegistryHost[] = [];
  for (const [index, plan] of plans.entries()) {
    const previous = delivered.at(-1);
    delivered.push(
      new RegistryHost(
        plan.host.name,
        {
          plan,
          settings,
          issuer: issuerUrl(settings),
          relyingParty,
          sessionKeys,
          onFailure: stopped(settings.hosts, index),
        },
        {
          ...(previous ? { dependsOn: previous } : {}),
          // A host under another name is the same host, with all its resources.
          ...(plan.formerly ? { aliases: [{ name: plan.formerly }] } : {}),
        },
      ),
    );
  }
  return delivered;
}

/** Says how far a delivery to several hosts came. The reason itself is the error of the command that failed. */
function stopped(hosts: HostSettings[], failed: number): pulumi.ErrorHook | undefined {
  const names = hosts.map(({ name }) => name);
  const name = names[failed] as string;
  if (hosts.length === 1) return undefined;
  return new pulumi.ErrorHook(`${name}-stopped`, async ({ failedOperation }) => {
    if (failedOperation !== "delete") await pulumi.log.error(describeStop(names, failed));
    return false;
  });
}

/** @param names all hosts in the order of delivery */
function describeStop(names: string[], failed: number): string {
  const list = (some: string[]) => some.join(", ") || "none";
  return `${names[failed]} could not be delivered, and the hosts after it were not tried. Delivered: ${list(names.slice(0, failed))}. Untouched: ${list(names.slice(failed + 1))}. Mend ${names[failed]} and run up again: it goes on from there.`;
}

/** zot takes an encryptKey of exactly 16, 24 or 32 bytes; with any other every login ends in 500. */
function createSessionKeys(): pulumi.Output<string> {
  const key = (name: string) => new random.RandomPassword(name, { length: 32, special: false }).result;
  return pulumi
    .all([key("session-hash-key"), key("session-encrypt-key")])
    .apply(([hashKey, encryptKey]) => JSON.stringify({ hashKey, encryptKey }));
}
