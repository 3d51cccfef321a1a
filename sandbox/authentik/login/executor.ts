import { passes } from "../access";
import { json, notFound, type Reply, type Request, redirect } from "../http";
import type { Flow, FlowBinding, Stage, User } from "../model";
import type { Sessions } from "../sessions";
import type { Store } from "../store";
import { newPlan, type Plan } from "./plan";
import { answerStage, challenge } from "./stages";
import { denied, flowInfo, nextOf, type Turn } from "./turn";

/** `/api/v3/flows/executor/<slug>/?query=<the page's query>`: GET shows the current stage, POST answers it. */
export async function execute(store: Store, sessions: Sessions, request: Request, slug: string): Promise<Reply> {
  const flow = store.state.flows.find((candidate) => candidate.slug === slug);
  if (!flow) throw notFound("Flow");
  const session = await sessions.of(request);
  const sid = session.sid;
  const reply = advance({ store, sessions, session, flow, request });
  return { ...reply, cookies: await sessions.cookies(session, session.sid !== sid) };
}

function advance(context: Omit<Turn, "plan" | "stage">): Reply {
  const { store, sessions, session, flow, request } = context;
  if (request.method === "POST" && !sessions.hasCsrf(session, request)) {
    return json(200, { component: "ak-stage-flow-error", request_id: request.id });
  }
  if (session.plan?.flow !== flow.pk) {
    if (!mayRun(store, flow, sessions.userOf(session))) return denied(flow, request);
    session.plan = newPlan(store, flow);
  }
  const { plan } = session;
  const binding = currentBinding(store, plan, sessions.userOf(session));
  if (!binding) return finish(context, plan);
  const stage = store.state.stages.find((candidate) => candidate.pk === binding.stage) as Stage;
  const turn: Turn = { ...context, plan, stage };
  const outcome = request.method === "POST" ? answerStage(turn) : challenge(turn);
  if (outcome !== "passed") return outcome;
  plan.bindings.shift();
  return plan.bindings.length > 0 || plan.fulfils ? redirect(selfUrl(request)) : finish(context, plan);
}

/**
 * The next binding whose policies let the pending user through; the others are skipped. With re-evaluation on, the
 * question is put now, to who was identified; without it, it was put when the plan was made, to an anonymous visitor.
 */
function currentBinding(store: Store, plan: Plan, loggedIn: User | null): FlowBinding | undefined {
  while (plan.bindings.length > 0) {
    const binding = store.state.flowBindings.find((candidate) => candidate.pk === plan.bindings[0]);
    if (binding) {
      const pending = plan.pendingUser === null ? loggedIn : (store.user(plan.pendingUser) ?? null);
      const asked = binding.re_evaluate_policies ? pending : loggedIn;
      const evaluated = binding.re_evaluate_policies || binding.evaluate_on_plan;
      const targets = [binding.pk, binding.policybindingmodel_ptr_id];
      if (!evaluated || passes(store, targets, binding.policy_engine_mode, asked)) return binding;
    }
    plan.bindings.shift();
  }
  return undefined;
}

function mayRun(store: Store, flow: Flow, user: User | null): boolean {
  if (flow.authentication === "require_authenticated" && !user) return false;
  if (flow.authentication === "require_unauthenticated" && user) return false;
  if (flow.authentication === "require_superuser" && !(user && store.isSuperuser(user))) return false;
  return passes(store, [flow.pk, flow.policybindingmodel_ptr_id], flow.policy_engine_mode, user);
}

function finish({ store, sessions, session, flow, request }: Omit<Turn, "plan" | "stage">, plan: Plan): Reply {
  if (plan.endsSession && sessions.userOf(session)) return sessionEnd(store, plan, flow, request);
  session.plan = null;
  const to = plan.destination?.() ?? nextOf(request) ?? "/";
  return json(200, { component: "xak-flow-redirect", to });
}

/** The user is logged out of the application, not of Authentik: the page offers that. */
function sessionEnd(store: Store, plan: Plan, flow: Flow, request: Request): Reply {
  const application = store.state.applications.find((candidate) => candidate.pk === plan.application);
  return json(200, {
    flow_info: flowInfo(flow, request, application?.name),
    component: "ak-stage-session-end",
    brand_name: "authentik",
    application_name: application?.name,
    application_launch_url: application?.meta_launch_url,
    invalidation_flow_url: "/if/flow/default-invalidation-flow/",
  });
}

function selfUrl(request: Request): string {
  const query = request.query.toString();
  return query === "" ? request.path : `${request.path}?${query}`;
}
