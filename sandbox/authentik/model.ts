/** What the stand-in keeps, one interface per Authentik model. Attribute names are those of the REST API. */

export interface Group {
  pk: string;
  num_pk: number;
  name: string;
  is_superuser: boolean;
  /** pks of groups. */
  parents: string[];
  attributes: Record<string, unknown>;
}

export interface User {
  pk: number;
  uuid: string;
  uid: string;
  username: string;
  name: string;
  email: string;
  is_active: boolean;
  type: string;
  path: string;
  attributes: Record<string, unknown>;
  /** pks of the groups this user is a direct member of; a group's `users` is read from here. */
  groups: string[];
  /** scrypt, `salt:hash` in hex; absent: no password, so none is right. */
  password?: string;
  last_login: string | null;
  date_joined: string;
  password_change_date: string;
  last_updated: string;
}

export interface Token {
  pk: string;
  identifier: string;
  intent: string;
  user: number;
  description: string;
  expires: string | null;
  expiring: boolean;
  key: string;
}

export interface Flow {
  pk: string;
  policybindingmodel_ptr_id: string;
  name: string;
  slug: string;
  title: string;
  designation: string;
  background: string;
  policy_engine_mode: string;
  compatibility_mode: boolean;
  layout: string;
  denied_action: string;
  authentication: string;
}

export type StageKind =
  | "identification"
  | "password"
  | "user_login"
  | "user_logout"
  | "consent"
  | "authenticator_validate";

export interface Stage {
  pk: string;
  kind: StageKind;
  name: string;
  /** What the API shows beyond what every stage has. */
  settings: Record<string, unknown>;
}

export interface FlowBinding {
  pk: string;
  policybindingmodel_ptr_id: string;
  target: string;
  stage: string;
  order: number;
  evaluate_on_plan: boolean;
  re_evaluate_policies: boolean;
  policy_engine_mode: string;
  invalid_response_action: string;
}

export interface Policy {
  pk: string;
  name: string;
  execution_logging: boolean;
  expression: string;
}

export interface PolicyBinding {
  pk: string;
  policy: string | null;
  group: string | null;
  user: number | null;
  /** pk of an application, a flow or a flow binding. */
  target: string;
  negate: boolean;
  enabled: boolean;
  order: number;
  timeout: number;
  failure_result: boolean;
}

export interface RedirectUri {
  matching_mode: string;
  url: string;
  /** `authorization` or `logout`; from 2026.5 on. */
  redirect_uri_type?: string;
}

export interface Provider {
  pk: number;
  name: string;
  authentication_flow: string | null;
  authorization_flow: string;
  invalidation_flow: string;
  property_mappings: string[];
  client_type: string;
  /** From 2026.5 on. */
  grant_types?: string[];
  client_id: string;
  client_secret: string;
  access_code_validity: string;
  access_token_validity: string;
  refresh_token_validity: string;
  refresh_token_threshold: string;
  include_claims_in_id_token: boolean;
  signing_key: string | null;
  encryption_key: string | null;
  redirect_uris: RedirectUri[];
  logout_uri: string;
  logout_method: string;
  sub_mode: string;
  issuer_mode: string;
  jwt_federation_sources: string[];
  jwt_federation_providers: number[];
}

export interface Application {
  pk: string;
  name: string;
  slug: string;
  provider: number | null;
  backchannel_providers: number[];
  open_in_new_tab: boolean;
  meta_launch_url: string;
  meta_icon: string;
  meta_description: string;
  meta_publisher: string;
  /** From 2026.5 on. */
  meta_hide?: boolean;
  policy_engine_mode: string;
  group: string;
}

export interface ScopeMapping {
  pk: string;
  managed: string;
  name: string;
  expression: string;
  scope_name: string;
  description: string;
}

/** A key with its self-signed certificate, PEM. */
export interface CertificateKeyPair {
  pk: string;
  name: string;
  certificate: string;
  privateKey: string;
}

export interface State {
  groups: Group[];
  users: User[];
  tokens: Token[];
  flows: Flow[];
  stages: Stage[];
  flowBindings: FlowBinding[];
  policies: Policy[];
  policyBindings: PolicyBinding[];
  providers: Provider[];
  applications: Application[];
  scopeMappings: ScopeMapping[];
  certificates: CertificateKeyPair[];
  /** `<user pk> <application pk>` of every consent given. */
  consents: string[];
  /** Integer keys are never used twice, as in a database. */
  nextUserPk: number;
  nextProviderPk: number;
  /** Signs session cookies, and makes uids this installation's own. */
  secret: string;
}
