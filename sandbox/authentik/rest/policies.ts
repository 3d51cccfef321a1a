import { randomUUID } from "node:crypto";
import { EVALUABLE } from "../access";
import { invalid, Refusal } from "../http";
import type { Policy, PolicyBinding } from "../model";
import type { Store } from "../store";
import type { Collection } from "./collection";
import { bool, FieldError, type Fields, filledText, integer, nullable, reference, unique } from "./fields";
import { briefGroup, showUser } from "./shown";

const SUBJECTS = ["policy", "group", "user"] as const;

export function policyBindings(store: Store): Collection<PolicyBinding> {
  const { state } = store;
  const targets = () => [...state.applications, ...state.flows, ...state.flowBindings];
  return {
    path: "policies/bindings/",
    model: "PolicyBinding",
    key: (binding) => binding.pk,
    rows: () => [...state.policyBindings].sort((a, b) => a.order - b.order),
    show: (binding) => {
      const group = store.group(binding.group);
      const user = store.user(binding.user);
      const policy = state.policies.find((candidate) => candidate.pk === binding.policy);
      return {
        ...binding,
        policy_obj: policy ? showPolicy(store, policy) : null,
        group_obj: group ? briefGroup(group) : null,
        user_obj: user ? showUser(store, user) : null,
      };
    },
    fields: (): Fields => ({
      // Any of the two keys a target has will do; it is shown by its own pk.
      target: {
        required: true,
        accept: (value) => {
          const found = targets().find((target) => target.pk === value || bindingKey(target) === value);
          if (!found) throw new FieldError([`Invalid pk "${value}" - object does not exist.`]);
          return found.pk;
        },
      },
      policy: {
        accept: nullable(reference((pk) => state.policies.some((policy) => policy.pk === pk))),
        initial: () => null,
      },
      group: { accept: nullable(reference((pk) => store.group(pk))), initial: () => null },
      user: { accept: nullable(reference((pk) => store.user(pk))), initial: () => null },
      negate: { accept: bool, initial: () => false },
      enabled: { accept: bool, initial: () => true },
      order: { required: true, accept: integer },
      timeout: { accept: integer, initial: () => 30 },
      failure_result: { accept: bool, initial: () => false },
    }),
    create: (values) => {
      checkSubject(values);
      const binding = { pk: randomUUID(), ...values } as unknown as PolicyBinding;
      state.policyBindings.push(binding);
      return binding;
    },
    update: (binding, values) => {
      // Authentik looks at what the body says, not at what is stored; without a target it fails, and says so in this way.
      if (!("target" in values)) throw new Refusal({ status: 405, headers: { allow: "GET, HEAD, OPTIONS" } });
      checkSubject(values);
      Object.assign(binding, values);
    },
    remove: (binding) => {
      state.policyBindings = state.policyBindings.filter((other) => other !== binding);
    },
  };
}

const bindingKey = (target: object) =>
  "policybindingmodel_ptr_id" in target ? target.policybindingmodel_ptr_id : undefined;

function checkSubject(values: Record<string, unknown>): void {
  const given = SUBJECTS.filter((subject) => (values[subject] ?? null) !== null);
  if (given.length === 0) throw invalid({ non_field_errors: ["One of 'group', 'policy', 'user' must be set."] });
  if (given.length > 1) throw invalid({ non_field_errors: ["Only one of 'group', 'policy', 'user' can be set."] });
}

export function expressionPolicies(store: Store): Collection<Policy> {
  const { state } = store;
  return {
    path: "policies/expression/",
    model: "ExpressionPolicy",
    key: (policy) => policy.pk,
    rows: () => state.policies,
    show: (policy) => showPolicy(store, policy),
    fields: (policy): Fields => ({
      name: {
        required: true,
        accept: unique(
          filledText,
          (name) => state.policies.some((other) => other !== policy && other.name === name),
          "Policy with this name already exists.",
        ),
      },
      execution_logging: { accept: bool, initial: () => false },
      expression: { required: true, accept: expression },
    }),
    create: (values) => {
      const policy = { pk: randomUUID(), ...values } as unknown as Policy;
      state.policies.push(policy);
      return policy;
    },
    update: (policy, values) => {
      Object.assign(policy, values);
    },
    remove: (policy) => {
      state.policies = state.policies.filter((other) => other !== policy);
      state.policyBindings = state.policyBindings.filter((binding) => binding.policy !== policy.pk);
    },
  };
}

/** Better refused than saved and decided wrongly. */
function expression(value: unknown): unknown {
  if (EVALUABLE.test(filledText(value) as string)) return value;
  throw new FieldError(["This stand-in evaluates `return True` and `return False` only; use a real Authentik."]);
}

const showPolicy = (store: Store, policy: Policy) => ({
  ...policy,
  component: "ak-policy-expression-form",
  verbose_name: "Expression Policy",
  verbose_name_plural: "Expression Policies",
  meta_model_name: "authentik_policies_expression.expressionpolicy",
  bound_to: store.state.policyBindings.filter((binding) => binding.policy === policy.pk).length,
});
