import { randomUUID } from "node:crypto";
import { IDENTIFICATION_DEFAULTS, PASSWORD_DEFAULTS, USER_LOGIN_DEFAULTS } from "../blueprints";
import type { Flow, FlowBinding, Stage, StageKind } from "../model";
import type { Store } from "../store";
import type { Collection } from "./collection";
import {
  type Accept,
  bool,
  choice,
  type Fields,
  filledText,
  integer,
  list,
  nullable,
  reference,
  slug,
  text,
  unique,
} from "./fields";

const MODES = choice("all", "any");

export function flows(store: Store): Collection<Flow> {
  const { state } = store;
  return {
    path: "flows/instances/",
    model: "Flow",
    key: (flow) => flow.slug,
    rows: () => state.flows,
    show: (flow) => ({
      ...briefFlow(flow),
      stages: state.flowBindings.filter((binding) => binding.target === flow.pk).map((binding) => binding.stage),
      policies: state.policyBindings.filter((binding) => binding.target === flow.pk).map((binding) => binding.pk),
      cache_count: 0,
      authentication: flow.authentication,
    }),
    fields: (flow): Fields => ({
      name: { required: true, accept: filledText },
      slug: {
        required: true,
        accept: unique(
          slug,
          (value) => state.flows.some((other) => other !== flow && other.slug === value),
          "Flow with this slug already exists.",
        ),
      },
      title: { required: true, accept: filledText },
      designation: { required: true, accept: choice(...DESIGNATIONS) },
      background: { accept: text, initial: () => "" },
      policy_engine_mode: { accept: MODES, initial: () => "any" },
      compatibility_mode: { accept: bool, initial: () => false },
      layout: { accept: text, initial: () => "stacked" },
      denied_action: {
        accept: choice("message_continue", "message", "continue"),
        initial: () => "message_continue",
      },
      authentication: { accept: choice(...AUTHENTICATION), initial: () => "none" },
    }),
    create: (values) => {
      const flow = { pk: randomUUID(), policybindingmodel_ptr_id: randomUUID(), ...values } as unknown as Flow;
      state.flows.push(flow);
      return flow;
    },
    update: (flow, values) => {
      Object.assign(flow, values);
    },
    remove: (flow) => {
      state.flows = state.flows.filter((other) => other !== flow);
      for (const binding of state.flowBindings.filter((other) => other.target === flow.pk)) unbind(store, binding);
      state.policyBindings = state.policyBindings.filter((binding) => binding.target !== flow.pk);
    },
  };
}

const DESIGNATIONS = [
  "authentication",
  "authorization",
  "invalidation",
  "enrollment",
  "unenrollment",
  "recovery",
  "stage_configuration",
];
const AUTHENTICATION = ["none", "require_authenticated", "require_unauthenticated", "require_superuser"];

const briefFlow = ({ authentication: _, ...flow }: Flow) => ({
  ...flow,
  background_url: "/static/dist/assets/images/flow_background.jpg",
  background_themed_urls: null,
  export_url: `/api/v3/flows/instances/${flow.slug}/export/`,
});

function unbind(store: Store, binding: FlowBinding): void {
  const { state } = store;
  state.flowBindings = state.flowBindings.filter((other) => other !== binding);
  state.policyBindings = state.policyBindings.filter((other) => other.target !== binding.pk);
}

export function flowBindings(store: Store): Collection<FlowBinding> {
  const { state } = store;
  return {
    path: "flows/bindings/",
    model: "FlowStageBinding",
    key: (binding) => binding.pk,
    rows: () => [...state.flowBindings].sort((a, b) => a.order - b.order),
    show: (binding) => {
      const stage = state.stages.find((candidate) => candidate.pk === binding.stage) as Stage;
      return { ...binding, stage_obj: showStage(store, stage) };
    },
    fields: (): Fields => ({
      target: { required: true, accept: reference((pk) => state.flows.some((flow) => flow.pk === pk)) },
      stage: { required: true, accept: reference((pk) => state.stages.some((stage) => stage.pk === pk)) },
      order: { required: true, accept: integer },
      evaluate_on_plan: { accept: bool, initial: () => false },
      re_evaluate_policies: { accept: bool, initial: () => true },
      policy_engine_mode: { accept: MODES, initial: () => "any" },
      invalid_response_action: {
        accept: choice("retry", "restart", "restart_with_context"),
        initial: () => "retry",
      },
    }),
    create: (values) => {
      const keys = { pk: randomUUID(), policybindingmodel_ptr_id: randomUUID() };
      const binding = { ...keys, ...values } as unknown as FlowBinding;
      state.flowBindings.push(binding);
      return binding;
    },
    update: (binding, values) => {
      Object.assign(binding, values);
    },
    remove: (binding) => unbind(store, binding),
  };
}

interface StageModel {
  path: string;
  model: string;
  verbose: string;
  defaults: Record<string, unknown>;
  accepts: Record<string, Accept>;
  required: string[];
}

/** The kinds a client may create. */
const STAGE_MODELS: Partial<Record<StageKind, StageModel>> = {
  identification: {
    path: "stages/identification/",
    model: "IdentificationStage",
    verbose: "Identification Stage",
    defaults: IDENTIFICATION_DEFAULTS,
    accepts: { user_fields: list(choice("email", "username", "upn")) },
    required: [],
  },
  password: {
    path: "stages/password/",
    model: "PasswordStage",
    verbose: "Password Stage",
    defaults: PASSWORD_DEFAULTS,
    accepts: {
      backends: list(
        choice(
          "authentik.core.auth.InbuiltBackend",
          "authentik.core.auth.TokenBackend",
          "authentik.sources.ldap.auth.LDAPBackend",
          "authentik.sources.kerberos.auth.KerberosBackend",
        ),
      ),
    },
    required: ["backends"],
  },
  user_login: {
    path: "stages/user_login/",
    model: "UserLoginStage",
    verbose: "User Login Stage",
    defaults: USER_LOGIN_DEFAULTS,
    accepts: {},
    required: [],
  },
};

export const stages = (store: Store): Collection<Stage>[] =>
  (Object.keys(STAGE_MODELS) as StageKind[]).map((kind) => stageCollection(store, kind));

function stageCollection(store: Store, kind: StageKind): Collection<Stage> {
  const { state } = store;
  const { path, model, defaults, accepts, required } = STAGE_MODELS[kind] as StageModel;
  const split = ({ name, ...settings }: Record<string, unknown>) => ({ name: name as string, settings });
  return {
    path,
    model,
    key: (stage) => stage.pk,
    rows: () => state.stages.filter((stage) => stage.kind === kind),
    show: (stage) => showStage(store, stage),
    fields: (stage): Fields => ({
      name: {
        required: true,
        accept: unique(
          filledText,
          (name) => state.stages.some((other) => other !== stage && other.name === name),
          "Stage with this name already exists.",
        ),
      },
      ...Object.fromEntries(
        Object.entries(defaults).map(([name, initial]) => [
          name,
          { accept: accepts[name] ?? like(initial), required: required.includes(name), initial: () => initial },
        ]),
      ),
    }),
    create: (values) => {
      const stage: Stage = { pk: randomUUID(), kind, ...split(values) };
      state.stages.push(stage);
      return stage;
    },
    update: (stage, values) => {
      const { name, settings } = split({ name: stage.name, ...values });
      Object.assign(stage, { name, settings: { ...stage.settings, ...settings } });
    },
    remove: (stage) => {
      state.stages = state.stages.filter((other) => other !== stage);
      for (const binding of state.flowBindings.filter((other) => other.stage === stage.pk)) unbind(store, binding);
    },
  };
}

/** Accepts what has the type of the default. */
function like(initial: unknown): Accept {
  if (typeof initial === "boolean") return bool;
  if (typeof initial === "number") return integer;
  if (Array.isArray(initial)) return list(text);
  return initial === null ? nullable(text) : filledText;
}

function showStage(store: Store, { pk, kind, name, settings }: Stage): Record<string, unknown> {
  const model = STAGE_MODELS[kind];
  const used = store.state.flowBindings.filter((binding) => binding.stage === pk).map((binding) => binding.target);
  return {
    pk,
    name,
    component: `ak-stage-${kind.replaceAll("_", "-")}-form`,
    verbose_name: model?.verbose ?? `${kind} Stage`,
    verbose_name_plural: `${model?.verbose ?? `${kind} Stage`}s`,
    meta_model_name: `authentik_stages_${kind}.${kind.replaceAll("_", "")}stage`,
    flow_set: store.state.flows.filter((flow) => used.includes(flow.pk)).map(briefFlow),
    ...settings,
  };
}
