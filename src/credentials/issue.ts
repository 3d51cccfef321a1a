import type { RegistryHost } from "../host/registry-host";
import { CiAccount } from "../identity/ci-account";
import { CiLoginFlow } from "../identity/ci-login-flow";
import type { RelyingParty } from "../identity/relying-party";
import type { Settings } from "../settings/settings";
import { CiKey } from "./ci-key";
import type { KeyPlan } from "./held-keys";

/**
 * For every CI identity an account of its own and an API key of the registry, made without a browser once the hosts
 * serve what was delivered.
 * @param plans of every identity's key
 */
export function issueKeys(
  settings: Settings,
  relyingParty: RelyingParty,
  plans: Map<string, KeyPlan>,
  hosts: RegistryHost[],
): CiKey[] {
  const { authentikUrl: issuer, ci, registry } = settings;
  if (ci.length === 0) return [];
  const groups = new Map(ci.map(({ group }) => [group, relyingParty.group(group)]));
  const loginFlow = new CiLoginFlow("ci-login", settings, groups);
  return ci.map((identity) => {
    const { appPassword, group, name } = identity;
    const { client } = relyingParty;
    const account = new CiAccount(name, { username: name, group: relyingParty.group(group), client, appPassword });
    const plan = plans.get(name) as KeyPlan;
    const dependsOn = [...loginFlow.admitting(group), ...hosts];
    return new CiKey(name, { identity, registry, issuer, account, loginFlow, plan }, { dependsOn });
  });
}
