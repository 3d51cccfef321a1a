import type { Value } from "../wire";

/** One property of a resource, keyed by its Pulumi name. */
export interface Attribute {
  type: "string" | "number" | "boolean" | "list" | "json";
  /** Name in Authentik's API, where it is not the snake_case of the Pulumi name. */
  api?: string;
  /** The Terraform provider's default, sent and stored when the program says nothing. */
  default?: Value;
  /** When the program says nothing, the server decides: unknown before, kept afterwards. */
  computed?: true;
  /** What goes into a request for an empty value; otherwise the empty value itself. */
  empty?: "omitted" | "null";
  /** Not part of a request or of an answer. */
  local?: true;
  /** Only in answers. */
  output?: true;
  secret?: true;
}

export interface Kind {
  collection: string;
  /** Field of an answer that names the object in URLs. */
  key: "pk" | "slug" | "identifier";
  attributes: Record<string, Attribute>;
  /** Appended to the URL of a GET. */
  query?: string;
}

const text: Attribute = { type: "string" };
const optional: Attribute = { type: "string", empty: "omitted" };
const nullable: Attribute = { type: "string", empty: "null" };
const withDefault = (value: string): Attribute => ({ type: "string", default: value });
const integer: Attribute = { type: "number" };
const nullableInteger: Attribute = { type: "number", empty: "null" };
const flag = (value: boolean): Attribute => ({ type: "boolean", default: value });
const list: Attribute = { type: "list" };
const computedList: Attribute = { type: "list", computed: true };
const json: Attribute = { type: "json", default: "{}" };

export const GROUP_QUERY = "include_children=false&include_inherited_roles=false&include_parents=false";

/** The resources of Authentik's Terraform provider 2026.5.0 that sdks/authentik names, as provider-trace.jsonl shows them. */
export const KINDS: Record<string, Kind> = {
  Group: {
    collection: "/core/groups/",
    key: "pk",
    query: `${GROUP_QUERY}&include_users=false`,
    attributes: {
      name: text,
      isSuperuser: flag(false),
      parents: list,
      users: computedList,
      attributes: json,
      roles: list,
    },
  },
  User: {
    collection: "/core/users/",
    key: "pk",
    attributes: {
      username: text,
      name: withDefault(""),
      type: withDefault("internal"),
      password: { type: "string", local: true, secret: true },
      isActive: flag(true),
      email: optional,
      path: withDefault("users"),
      groups: computedList,
      roles: computedList,
      attributes: json,
    },
  },
  Token: {
    collection: "/core/tokens/",
    key: "identifier",
    attributes: {
      identifier: text,
      user: integer,
      intent: withDefault("api"),
      expires: { type: "string", empty: "omitted", local: true },
      expiring: flag(true),
      description: optional,
      retrieveKey: { type: "boolean", default: false, local: true },
      key: { type: "string", output: true, local: true, secret: true },
      expiresIn: { type: "number", output: true, local: true },
    },
  },
  PolicyBinding: {
    collection: "/policies/bindings/",
    key: "pk",
    attributes: {
      target: text,
      policy: nullable,
      user: nullableInteger,
      group: nullable,
      order: integer,
      negate: flag(false),
      enabled: flag(true),
      timeout: { type: "number", default: 30 },
      failureResult: flag(false),
    },
  },
  PolicyExpression: {
    collection: "/policies/expression/",
    key: "pk",
    attributes: { name: text, executionLogging: flag(false), expression: text },
  },
  Application: {
    collection: "/core/applications/",
    key: "slug",
    attributes: {
      name: text,
      slug: text,
      group: optional,
      uuid: { type: "string", api: "pk", output: true },
      protocolProvider: { type: "number", api: "provider", empty: "null" },
      backchannelProviders: list,
      metaLaunchUrl: optional,
      metaIcon: optional,
      metaDescription: optional,
      metaPublisher: optional,
      metaHide: flag(false),
      policyEngineMode: withDefault("any"),
      openInNewTab: flag(false),
    },
  },
  ProviderOauth2: {
    collection: "/providers/oauth2/",
    key: "pk",
    attributes: {
      name: text,
      authenticationFlow: nullable,
      authorizationFlow: text,
      invalidationFlow: text,
      clientId: text,
      clientSecret: { type: "string", computed: true, empty: "omitted", secret: true },
      clientType: withDefault("confidential"),
      grantTypes: { type: "list", computed: true, empty: "omitted" },
      accessCodeValidity: withDefault("minutes=1"),
      accessTokenValidity: withDefault("minutes=10"),
      refreshTokenValidity: withDefault("days=30"),
      refreshTokenThreshold: withDefault("seconds=0"),
      includeClaimsInIdToken: flag(true),
      signingKey: nullable,
      encryptionKey: nullable,
      allowedRedirectUris: { type: "list", api: "redirect_uris" },
      logoutMethod: withDefault("backchannel"),
      logoutUri: optional,
      subMode: withDefault("hashed_user_id"),
      issuerMode: withDefault("per_provider"),
      propertyMappings: list,
      jwksSources: { type: "list", local: true },
      jwtFederationSources: list,
      jwtFederationProviders: list,
    },
  },
  PropertyMappingProviderScope: {
    collection: "/propertymappings/provider/scope/",
    key: "pk",
    attributes: { name: text, scopeName: text, description: optional, expression: text },
  },
  Flow: {
    collection: "/flows/instances/",
    key: "slug",
    attributes: {
      name: text,
      uuid: { type: "string", api: "pk", output: true },
      slug: text,
      title: text,
      designation: text,
      authentication: withDefault("none"),
      layout: withDefault("stacked"),
      background: withDefault("/static/dist/assets/images/flow_background.jpg"),
      policyEngineMode: withDefault("any"),
      deniedAction: withDefault("message_continue"),
      compatibilityMode: flag(true),
    },
  },
  FlowStageBinding: {
    collection: "/flows/bindings/",
    key: "pk",
    attributes: {
      target: text,
      stage: text,
      order: integer,
      evaluateOnPlan: flag(true),
      reEvaluatePolicies: flag(false),
      policyEngineMode: withDefault("any"),
      invalidResponseAction: withDefault("retry"),
    },
  },
  StageIdentification: {
    collection: "/stages/identification/",
    key: "pk",
    attributes: {
      name: text,
      userFields: list,
      passwordStage: text,
      captchaStage: text,
      webauthnStage: text,
      caseInsensitiveMatching: { type: "boolean" },
      showMatchedUser: flag(true),
      pretendUserExists: flag(true),
      showSourceLabels: flag(false),
      enableRememberMe: flag(false),
      enrollmentFlow: nullable,
      recoveryFlow: nullable,
      passwordlessFlow: nullable,
      sources: list,
    },
  },
  StagePassword: {
    collection: "/stages/password/",
    key: "pk",
    attributes: {
      name: text,
      backends: list,
      configureFlow: nullable,
      failedAttemptsBeforeCancel: { type: "number", default: 5, empty: "omitted" },
      allowShowPassword: flag(false),
    },
  },
  StageUserLogin: {
    collection: "/stages/user_login/",
    key: "pk",
    attributes: {
      name: text,
      sessionDuration: withDefault("seconds=0"),
      rememberMeOffset: withDefault("seconds=0"),
      terminateOtherSessions: flag(false),
      networkBinding: withDefault("no_binding"),
      geoipBinding: withDefault("no_binding"),
      rememberDevice: withDefault("days=30"),
    },
  },
};
