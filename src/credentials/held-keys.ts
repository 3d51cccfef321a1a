import * as pulumi from "@pulumi/pulumi";
import { trustedCa } from "../http/ca";
import { createFetch, type Fetch } from "../http/http";
import { type LastResource, printedBy } from "../last-state";
import { OperatorError } from "../operator/error";
import type { Settings } from "../settings/settings";
import { tenureResource } from "../tenure";
import { ApiKeys, type ListedKey, withKey } from "./api-keys";
import type { Kept, MintedKey } from "./key-requests";
import { inheritance, type KeyPast, type KeyTenure, labelsOfOwner } from "./labels";
import { type KeyState, planRotation, type Rotation, strays, unknownSuccessor } from "./rotation";

/** Type of the component that an identity's key is. */
export const CI_KEY = "harden-zot:credentials:CiKey";

/** Name of the resource that holds the key of an identity. */
export const keyResource = (identity: string) => `${identity}-key`;

/** Name of the resource that knows which of its keys are left. */
export const retiredKeysResource = (identity: string) => `${identity}-retired-keys`;

/** What is to become of an identity's key. */
export interface KeyPlan {
  rotation: Rotation;
  /** Of the stack, as it labels keys. */
  owner: string;
  past: KeyPast;
}

/**
 * Looks at the keys that the last run left in this stack's state, and asks the registry whether it still takes them. Says
 * what it found; touches nothing.
 * @returns identity -> what is to become of its key
 * @throws OperatorError when an identity leaves whose keys nothing would revoke
 */
export async function planKeys(settings: Settings, all: LastResource[], owner: string): Promise<Map<string, KeyPlan>> {
  const last = all.filter(({ component }) => component === CI_KEY);
  refuseUnheardFarewells(settings, last);
  const fetch = await createFetch(trustedCa(settings.registry));
  const plans = settings.ci.map(async ({ name, key }) => {
    const past = pastOf(name, last);
    const state = past.held && (await askRegistry(fetch, settings.registry.externalUrl, name, past.held));
    const rotation = planRotation(past.held, state, key, new Date());
    const plan = { rotation, owner, past };
    announce(name, state, plan);
    return [name, plan] as const;
  });
  return new Map(await Promise.all(plans));
}

/** Secrets in the clear. */
function pastOf(identity: string, last: LastResource[]): KeyPast {
  return {
    tenure: printedBy<KeyTenure>(last, tenureResource(identity)),
    held: printedBy<MintedKey>(last, keyResource(identity)),
    kept: printedBy<Kept>(last, retiredKeysResource(identity)),
  };
}

/** A state from before there were tenures has none to revoke the keys of an identity that leaves. */
function refuseUnheardFarewells({ ci }: Settings, last: LastResource[]): void {
  const staying = new Set(ci.map(({ name }) => name));
  const [unheard] = last
    .filter(({ name, type }) => type === "command:local:Command" && name.endsWith(keyResource("")))
    .map(({ name }) => name.slice(0, -keyResource("").length))
    .filter((identity) => !staying.has(identity) && pastOf(identity, last).held?.label?.startsWith("harden-zot "))
    .filter((identity) => pastOf(identity, last).tenure === undefined);
  if (unheard === undefined) return;
  throw new OperatorError(
    `harden-zot:ci no longer has ${unheard}, whose API keys an earlier version of this program made, and nothing would revoke them: put it back, run \`pulumi up\` once with it, and remove it then. Nothing was changed.`,
  );
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

function announce(identity: string, state: KeyState, { owner, past, rotation }: KeyPlan): void {
  if (rotation.reason) pulumi.log.warn(`${identity}: its API key ${rotation.reason}; up makes another one`);
  if (!state?.alive || !past.held) return;
  const labels = labelsOfOwner({ owner, ...inheritance(past) }, identity);
  const newer = unknownSuccessor(state.keys, labels, past.held);
  if (newer) {
    pulumi.log.warn(
      `${identity}: the registry has an API key of this stack that is newer than its state, ${shown(newer)}: the state is an older copy, or a rotation was cut off; the next rotation revokes it`,
    );
  }
  for (const key of strays(state.keys, labels)) {
    pulumi.log.warn(
      `${identity}: the API key ${shown(key)} was not made by this stack, which leaves it alone: revoke it in the registry (as ${identity}) unless somebody needs it`,
    );
  }
}

const shown = ({ createdAt, label }: ListedKey) => `${JSON.stringify(label)} of ${createdAt.slice(0, 10)}`;
