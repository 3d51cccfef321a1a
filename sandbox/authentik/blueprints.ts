import { randomBytes, randomUUID } from "node:crypto";
import type { Flow, FlowBinding, ScopeMapping, Stage, StageKind, State } from "./model";

/** What the default blueprints of Authentik 2026.2.2 lay down in an empty database, as far as we use it. */
export function emptyState(): State {
  const flows = defaultFlows();
  const { stages, flowBindings } = defaultStages(flows);
  return {
    groups: [],
    users: [],
    tokens: [],
    flows,
    stages,
    flowBindings,
    policies: [],
    policyBindings: [],
    providers: [],
    applications: [],
    scopeMappings: defaultScopeMappings(),
    certificates: [],
    consents: [],
    nextUserPk: 1,
    nextProviderPk: 1,
    secret: randomBytes(32).toString("hex"),
  };
}

const FLOWS: [slug: string, name: string, title: string, designation: string, authentication: string][] = [
  ["default-authentication-flow", "Welcome to authentik!", "Welcome to authentik!", "authentication", "none"],
  ["default-invalidation-flow", "Logout", "Default Invalidation Flow", "invalidation", "none"],
  [
    "default-provider-authorization-implicit-consent",
    "Authorize Application",
    "Redirecting to %(app)s",
    "authorization",
    "require_authenticated",
  ],
  [
    "default-provider-authorization-explicit-consent",
    "Authorize Application",
    "Redirecting to %(app)s",
    "authorization",
    "require_authenticated",
  ],
  [
    "default-provider-invalidation-flow",
    "Logged out of application",
    "You've logged out of %(app)s.",
    "invalidation",
    "none",
  ],
];

function defaultFlows(): Flow[] {
  return FLOWS.map(([slug, name, title, designation, authentication]) => ({
    pk: randomUUID(),
    policybindingmodel_ptr_id: randomUUID(),
    name,
    slug,
    title,
    designation,
    background: "",
    policy_engine_mode: "any",
    compatibility_mode: false,
    layout: "stacked",
    denied_action: "message_continue",
    authentication,
  }));
}

function defaultStages(flows: Flow[]): { stages: Stage[]; flowBindings: FlowBinding[] } {
  const stages: Stage[] = [];
  const flowBindings: FlowBinding[] = [];
  const bind = (slug: string, order: number, kind: StageKind, name: string, settings: Record<string, unknown>) => {
    const stage = { pk: randomUUID(), kind, name, settings };
    stages.push(stage);
    flowBindings.push({
      pk: randomUUID(),
      policybindingmodel_ptr_id: randomUUID(),
      target: flows.find((flow) => flow.slug === slug)?.pk as string,
      stage: stage.pk,
      order,
      evaluate_on_plan: false,
      re_evaluate_policies: true,
      policy_engine_mode: "any",
      invalid_response_action: "retry",
    });
  };
  const authentication = "default-authentication-flow";
  bind(authentication, 10, "identification", "default-authentication-identification", {
    ...IDENTIFICATION_DEFAULTS,
    user_fields: ["email", "username"],
  });
  bind(authentication, 20, "password", "default-authentication-password", {
    ...PASSWORD_DEFAULTS,
    backends: [
      "authentik.core.auth.InbuiltBackend",
      "authentik.sources.kerberos.auth.KerberosBackend",
      "authentik.sources.ldap.auth.LDAPBackend",
      "authentik.core.auth.TokenBackend",
    ],
  });
  // Nobody here has a second factor, and this stage lets them by, as the default one does.
  bind(authentication, 30, "authenticator_validate", "default-authentication-mfa-validation", {});
  bind(authentication, 100, "user_login", "default-authentication-login", USER_LOGIN_DEFAULTS);
  bind("default-invalidation-flow", 0, "user_logout", "default-invalidation-logout", {});
  bind("default-provider-authorization-explicit-consent", 0, "consent", "default-provider-authorization-consent", {});
  return { stages, flowBindings };
}

export const IDENTIFICATION_DEFAULTS = {
  user_fields: [] as string[],
  password_stage: null,
  captcha_stage: null,
  case_insensitive_matching: true,
  show_matched_user: true,
  enrollment_flow: null,
  recovery_flow: null,
  passwordless_flow: null,
  sources: [],
  show_source_labels: false,
  pretend_user_exists: true,
  enable_remember_me: false,
  webauthn_stage: null,
};

export const PASSWORD_DEFAULTS = {
  backends: [] as string[],
  configure_flow: null,
  failed_attempts_before_cancel: 5,
  allow_show_password: false,
};

export const USER_LOGIN_DEFAULTS = {
  session_duration: "seconds=0",
  terminate_other_sessions: false,
  remember_me_offset: "seconds=0",
  network_binding: "no_binding",
  geoip_binding: "no_binding",
  remember_device: "days=30",
};

const SCOPES: [managed: string, name: string, scope: string, description: string, expression: string][] = [
  [
    "openid",
    "OpenID 'openid'",
    "openid",
    "",
    "# This scope is required by the OpenID-spec, and must as such exist in authentik.\n# The scope by itself does not grant any information\nreturn {}",
  ],
  [
    "email",
    "OpenID 'email'",
    "email",
    "Email address",
    'return {\n    "email": request.user.email,\n    "email_verified": False\n}',
  ],
  [
    "profile",
    "OpenID 'profile'",
    "profile",
    "General Profile Information",
    'return {\n    # Because authentik only saves the user\'s full name, and has no concept of first and last names,\n    # the full name is used as given name.\n    # You can override this behaviour in custom mappings, i.e. `request.user.name.split(" ")`\n    "name": request.user.name,\n    "given_name": request.user.name,\n    "preferred_username": request.user.username,\n    "nickname": request.user.username,\n    "groups": [group.name for group in request.user.groups.all()],\n}',
  ],
  [
    "offline_access",
    "OpenID 'offline_access'",
    "offline_access",
    "Access to request new tokens without interaction",
    "# This scope grants the application a refresh token that can be used to refresh user data\n# and let the application access authentik without the users interaction\nreturn {}",
  ],
  [
    "entitlements",
    "Application Entitlements",
    "entitlements",
    "Application entitlements",
    'entitlements = [entitlement.name for entitlement in request.user.app_entitlements(provider.application)]\nreturn {\n    "entitlements": entitlements,\n    "roles": entitlements,\n}',
  ],
  [
    "authentik_api",
    "authentik API access",
    "goauthentik.io/api",
    "authentik API Access on behalf of your user",
    "# This scope grants the application the ability to access the authentik API\n# on behalf of the authorizing user\nreturn {}",
  ],
];

function defaultScopeMappings(): ScopeMapping[] {
  return SCOPES.map(([managed, name, scope_name, description, expression]) => ({
    pk: randomUUID(),
    managed: `goauthentik.io/providers/oauth2/scope-${managed}`,
    name: `authentik default OAuth Mapping: ${name}`,
    expression,
    scope_name,
    description,
  }));
}
