import { randomUUID } from "node:crypto";
import { html, json, type Reply } from "../http";
import type { User } from "../model";
import { avatar } from "../rest/shown";
import { seconds } from "../sessions";
import { type Store, timestamp } from "../store";
import type { LoginMethod } from "./plan";
import { denied, flowInfo, type Outcome, type Turn } from "./turn";

/** What a GET of the current stage answers. */
export function challenge(turn: Turn): Outcome {
  switch (turn.stage.kind) {
    case "identification":
      return show(turn, identification(turn));
    case "password":
      return show(turn, password(turn));
    case "consent":
      return hasConsent(turn) ? "passed" : show(turn, consent(turn));
    case "user_login":
      return logIn(turn);
    case "user_logout":
      turn.sessions.logOut(turn.session);
      return "passed";
    case "authenticator_validate":
      return "passed";
  }
}

/** What a POST to the current stage does. Stages that ask nothing are run by a POST as by a GET. */
export function answerStage(turn: Turn): Outcome {
  const body = (turn.request.body ?? {}) as Record<string, unknown>;
  switch (turn.stage.kind) {
    case "identification":
      return identify(turn, body.uid_field);
    case "password":
      return checkPassword(turn, body.password);
    case "consent":
      return giveConsent(turn, body.token);
    default:
      return challenge(turn);
  }
}

function show(turn: Turn, content: object, errors?: object): Reply {
  const { flow_info, ...rest } = { flow_info: infoOf(turn), ...content } as Record<string, unknown>;
  const { component, ...fields } = rest;
  return json(200, { flow_info, component, ...(errors ? { response_errors: errors } : {}), ...fields });
}

const fieldError = (field: string, string: string, code: string) => ({ [field]: [{ string, code }] });

function infoOf({ store, plan, flow, request }: Turn): object {
  const application = store.state.applications.find((candidate) => candidate.pk === plan.application);
  return flowInfo(flow, request, application?.name);
}

function identification({ store, plan, flow, stage }: Turn): object {
  const application = store.state.applications.find((candidate) => candidate.pk === plan.application);
  return {
    component: "ak-stage-identification",
    user_fields: stage.settings.user_fields,
    pending_user_identifier: null,
    password_fields: false,
    allow_show_password: false,
    ...(application ? { application_pre: application.name, application_pre_launch: application.meta_launch_url } : {}),
    flow_designation: flow.designation,
    captcha_stage: null,
    primary_action: "Log in",
    sources: [],
    show_source_labels: false,
    enable_remember_me: false,
    passkey_challenge: null,
  };
}

/** Somebody unknown is asked for a password all the same, so that the page does not tell who exists. */
function identify(turn: Turn, uid: unknown): Outcome {
  const { store, plan, stage } = turn;
  if (typeof uid !== "string" || uid === "") {
    return show(turn, identification(turn), fieldError("uid_field", "This field is required.", "required"));
  }
  const fields = stage.settings.user_fields as ("email" | "username")[];
  const same = (a: string) => a.toLowerCase() === uid.toLowerCase();
  const user = store.state.users.find((candidate) =>
    fields.some((field) => candidate[field] && same(candidate[field])),
  );
  if (!user && stage.settings.pretend_user_exists === false) {
    return show(turn, identification(turn), fieldError("non_field_errors", "Failed to authenticate.", "invalid"));
  }
  plan.identifier = user?.username ?? uid;
  plan.pendingUser = user?.pk ?? null;
  return "passed";
}

function password({ plan, stage }: Turn): object {
  return {
    component: "ak-stage-password",
    pending_user: plan.identifier,
    pending_user_avatar: avatar(plan.identifier),
    allow_show_password: stage.settings.allow_show_password,
  };
}

function checkPassword(turn: Turn, given: unknown): Outcome {
  const { store, plan, stage, flow, request, session } = turn;
  if (typeof given !== "string" || given === "") {
    return show(turn, password(turn), fieldError("password", "This field is required.", "required"));
  }
  const user = store.user(plan.pendingUser);
  const method = user ? authenticate(store, user, given, stage.settings.backends as string[]) : null;
  if (method) {
    plan.method = method;
    return "passed";
  }
  plan.failedPasswords += 1;
  if (plan.failedPasswords >= Number(stage.settings.failed_attempts_before_cancel)) {
    session.plan = null;
    return denied(flow, request, "Invalid password");
  }
  return show(turn, password(turn), fieldError("password", "Invalid password", "invalid"));
}

/**
 * Which of the stage's backends takes this secret. LDAP and Kerberos know nobody here. The token backend takes that of a
 * deactivated account too: it is the login stage that refuses it.
 */
function authenticate(store: Store, user: User, secret: string, backends: string[]): LoginMethod {
  const inbuilt = user.is_active && backends.includes("authentik.core.auth.InbuiltBackend");
  if (inbuilt && store.hasPassword(user, secret)) return "password";
  const token = backends.includes("authentik.core.auth.TokenBackend") && store.tokenWithKey(secret, "app_password");
  return token && token.user === user.pk ? "token" : null;
}

const consentKey = ({ session, plan }: Turn) => `${session.user} ${plan.application}`;

const hasConsent = (turn: Turn) => turn.store.state.consents.includes(consentKey(turn));

function consent(turn: Turn): object {
  const { store, plan, session } = turn;
  const application = store.state.applications.find((candidate) => candidate.pk === plan.application);
  const user = store.user(session.user) as User;
  plan.consentToken ??= randomUUID();
  return {
    component: "ak-stage-consent",
    pending_user: user.username,
    pending_user_avatar: avatar(user.name),
    header_text: `You're about to sign into ${application?.name}.`,
    permissions: plan.permissions ?? [],
    additional_permissions: [],
    token: plan.consentToken,
  };
}

function giveConsent(turn: Turn, token: unknown): Outcome {
  if (turn.plan.consentToken === undefined || token !== turn.plan.consentToken) {
    return show(turn, consent(turn), fieldError("token", "Invalid consent token, re-showing prompt", "invalid"));
  }
  turn.store.state.consents.push(consentKey(turn));
  turn.store.save();
  return "passed";
}

/** The user login stage. */
function logIn({ store, sessions, session, plan, stage, flow, request }: Turn): Outcome {
  const user = store.user(plan.pendingUser);
  if (!user || plan.method === null) return html(403, "No pending user to login.");
  if (!user.is_active) {
    session.plan = null;
    return denied(flow, request, "Unknown error");
  }
  user.last_login = timestamp();
  sessions.logIn(session, user, plan.method, seconds(String(stage.settings.session_duration ?? "seconds=0")));
  store.save();
  return "passed";
}
