import type { Policy, PolicyBinding, User } from "./model";
import type { Store } from "./store";

/**
 * Authentik's policy engine over the bindings of one target: no enabled binding passes; mode `any` wants one that
 * holds, `all` wants every one. A member of a child group passes a binding on its parent.
 * @param user null for somebody not logged in, who is in no group
 */
export function passes(store: Store, targets: string[], mode: string, user: User | null): boolean {
  const bindings = store.state.policyBindings.filter((binding) => binding.enabled && targets.includes(binding.target));
  if (bindings.length === 0) return true;
  const holds = (binding: PolicyBinding) => decide(store, binding, user) !== binding.negate;
  return mode === "all" ? bindings.every(holds) : bindings.some(holds);
}

function decide(store: Store, binding: PolicyBinding, user: User | null): boolean {
  if (binding.policy !== null) {
    const policy = store.state.policies.find((candidate) => candidate.pk === binding.policy);
    return policy ? evaluate(policy) : binding.failure_result;
  }
  if (!user) return false;
  if (binding.group !== null) return store.allGroups(user).some((group) => group.pk === binding.group);
  return binding.user === user.pk;
}

/** Expression policies are Python; here only the two constants are understood, and others are refused when saved. */
export const EVALUABLE = /^\s*return (True|False)\s*$/;

const evaluate = (policy: Policy) => EVALUABLE.exec(policy.expression)?.[1] === "True";
