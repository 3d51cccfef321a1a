import type { RegistryHost } from "../host/registry-host";
import { CiAccount } from "../identity/ci-account";
import { CiLoginFlow } from "../identity/ci-login-flow";
import type { RelyingParty } from "../identity/relying-party";
import type { Settings } from "../settings/settings";
import { CiKey } from "./ci-key";
import type { Rotation } from "./rotation";

/**
 * For every CI identity an account of its own and an API key of the registry, made without a browser once the hosts
 * serve what was delivered.
 * @param rotations of every identity
 */
export function issueKeys(
  settings: Settings,
  relyingParty: RelyingParty,
  rotations: Map<string, Rotation>,
  hosts: RegistryHost[],
): CiKey[] {
  const { ci, registry } = settings;
  if (ci.length === 0) return [];
  const groups = new Map(ci.map(({ group }) => [group, relyingParty.group(group)]));
  const loginFlow = new CiLoginFlow("ci-login", settings, groups);
  return ci.map((identity) => {
    const { group, name } = identity;
    const account = new CiAccount(name, { username: name, group: relyingParty.group(group) });
    const rotation = rotations.get(name) as Rotation;
    const dependsOn = [...loginFlow.admitting(group), ...hosts];
    return new CiKey(name, { identity, registry, account, loginFlow, rotation }, { dependsOn });
  });
}
