import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { issuerUrl, type RelyingParty } from "../identity/relying-party";
import { OperatorError } from "../settings/errors";
import type { HostSettings } from "../settings/hosts";
import type { Settings } from "../settings/settings";
import { type Observation, observe } from "./observe";
import { RegistryHost } from "./registry-host";

/** Host after host in the order of the settings: when one fails, the rest is untouched. */
export function deliver(settings: Settings, observations: Observation[], relyingParty: RelyingParty): RegistryHost[] {
  const sessionKeys = createSessionKeys();
  const delivered: RegistryHost[] = [];
  for (const [index, host] of settings.hosts.entries()) {
    const previous = delivered.at(-1);
    delivered.push(
      new RegistryHost(
        host.name,
        {
          host,
          settings,
          observed: observations[index],
          issuer: issuerUrl(settings),
          relyingParty,
          sessionKeys,
          onFailure: stopped(settings.hosts, index),
        },
        previous ? { dependsOn: previous } : {},
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

/**
 * Asks every host what it holds, and says what drifted. In a preview a host that does not answer is a warning, so that
 * the rest can still be looked at; an `up` stops before anything is touched.
 * @throws OperatorError
 */
export async function observeHosts({ hosts }: Settings): Promise<Observation[]> {
  return Promise.all(
    hosts.map(async (host) => {
      try {
        const observed = await observe(host);
        for (const drift of observed?.drift ?? []) pulumi.log.warn(`${host.name}: ${drift}; up will heal it`);
        return observed;
      } catch (error) {
        if (!pulumi.runtime.isDryRun() || !(error instanceof OperatorError)) throw error;
        pulumi.log.warn(`${error.message} What it holds is not known, so what is shown for it may be wrong.`);
        return undefined;
      }
    }),
  );
}

/** zot takes an encryptKey of exactly 16, 24 or 32 bytes; with any other every login ends in 500. */
function createSessionKeys(): pulumi.Output<string> {
  const key = (name: string) => new random.RandomPassword(name, { length: 32, special: false }).result;
  return pulumi
    .all([key("session-hash-key"), key("session-encrypt-key")])
    .apply(([hashKey, encryptKey]) => JSON.stringify({ hashKey, encryptKey }));
}
