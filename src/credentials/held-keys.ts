import * as pulumi from "@pulumi/pulumi";
import { OperatorError } from "../settings/errors";
import type { Settings } from "../settings/settings";
import { ApiKeys, withKey } from "./api-keys";
import { trustedCa } from "./ca";
import { createFetch, type Fetch } from "./http";
import type { MintedKey } from "./key-program";
import { type KeyState, ownerLabel, planRotation, type Rotation, strays } from "./rotation";

/** Name of the resource that holds the key of an identity. */
export const keyResource = (identity: string) => `${identity}-key`;

/**
 * Looks at the keys that the last run left in this stack's state, and asks the registry whether it still takes them. Says
 * what it found; touches nothing.
 * @returns identity -> what is to become of its key
 */
export async function planKeys(settings: Settings): Promise<Map<string, Rotation>> {
  const [held, fetch] = await Promise.all([
    heldKeys(settings.ci.map(({ name }) => name)),
    createFetch(trustedCa(settings.registry)),
  ]);
  const plans = settings.ci.map(async ({ name, key }) => {
    const last = held.get(keyResource(name));
    const state = last && (await askRegistry(fetch, settings.registry.externalUrl, name, last));
    const rotation = planRotation(last, state, key, new Date());
    announce(name, state, rotation);
    return [name, rotation] as const;
  });
  return new Map(await Promise.all(plans));
}

interface ResourceOutputs {
  type: string;
  outputs: { stdout?: string };
}

/** @returns name of the resource -> key; the engine reads its own state of the run before, secrets in the clear */
async function heldKeys(identities: string[]): Promise<Map<string, MintedKey>> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = (await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", { stackName })) as {
    outputs?: Record<string, ResourceOutputs>;
  };
  const wanted = new Set(identities.map(keyResource));
  const keys = Object.entries(outputs ?? {}).flatMap(([urn, { outputs, type }]) => {
    const name = urn.split("::").at(-1) as string;
    return type === "command:local:Command" && wanted.has(name) && outputs.stdout
      ? [[name, JSON.parse(outputs.stdout) as MintedKey] as const]
      : [];
  });
  return new Map(keys);
}

/** A key may list its owner's keys, so one question tells whether it lives and what is beside it. */
async function askRegistry(
  fetch: Fetch,
  registryUrl: string,
  username: string,
  { apiKey }: MintedKey,
): Promise<KeyState> {
  const asUser = withKey(fetch, username, apiKey);
  try {
    const { status } = await asUser(`${registryUrl}/v2/`);
    if (status === 401) return { alive: false };
    return { alive: true, keys: await new ApiKeys(registryUrl, username, asUser).list() };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    pulumi.log.warn(`${username}: it is not known whether its API key still works. ${error.message}`);
    return undefined;
  }
}

function announce(identity: string, state: KeyState, { reason }: Rotation): void {
  if (reason) pulumi.log.warn(`${identity}: its API key ${reason}; up makes another one`);
  const unknown = state?.alive ? strays(state.keys, ownerLabel(pulumi.getStack(), identity)) : [];
  for (const { createdAt, label } of unknown) {
    pulumi.log.warn(
      `${identity}: the API key ${JSON.stringify(label)} of ${createdAt.slice(0, 10)} was not made by this stack, which leaves it alone: revoke it in the registry (as ${identity}) unless somebody needs it`,
    );
  }
}
