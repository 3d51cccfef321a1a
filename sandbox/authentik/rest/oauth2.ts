import { randomUUID } from "node:crypto";
import { json, type Request, type Router } from "../http";
import type { Application, Provider, RedirectUri } from "../model";
import { GRANT_TYPES } from "../release";
import { randomKey, type Store } from "../store";
import { type Collection, findRow } from "./collection";
import {
  bool,
  choice,
  type Field,
  FieldError,
  type Fields,
  filledList,
  filledText,
  list,
  nullable,
  reference,
  slug,
  text,
  unique,
} from "./fields";

export function providers(store: Store): Collection<Provider> {
  const { state } = store;
  return {
    path: "providers/oauth2/",
    model: "OAuth2Provider",
    key: (provider) => provider.pk,
    rows: () => state.providers,
    show: (provider) => showProvider(store, provider),
    fields: (provider) => providerFields(store, provider),
    create: (values) => {
      const provider = { pk: state.nextProviderPk++, ...values } as unknown as Provider;
      state.providers.push(provider);
      return provider;
    },
    update: (provider, values) => {
      Object.assign(provider, values);
    },
    remove: (provider) => {
      const application = store.applicationOf(provider);
      if (application) application.provider = null;
      state.providers = state.providers.filter((other) => other !== provider);
    },
  };
}

function providerFields(store: Store, provider?: Provider): Fields {
  const { state, release } = store;
  const flow = reference((pk) => state.flows.some((candidate) => candidate.pk === pk));
  const certificate = reference((pk) => state.certificates.some((candidate) => candidate.pk === pk));
  const mapping = reference((pk) => state.scopeMappings.some((candidate) => candidate.pk === pk));
  const validity = (initial: string): Field => ({ accept: filledText, initial: () => initial });
  const taken = (id: string) => state.providers.some((other) => other !== provider && other.client_id === id);
  return {
    name: { required: true, accept: filledText },
    authentication_flow: { accept: nullable(flow), initial: () => null },
    authorization_flow: { required: true, accept: flow },
    invalidation_flow: { required: true, accept: flow },
    property_mappings: { accept: list(mapping), initial: () => [] },
    client_type: { accept: choice("confidential", "public"), initial: () => "confidential" },
    ...(release.knowsGrantTypes && { grant_types: { accept: filledList(choice(...GRANT_TYPES)), initial: () => [] } }),
    client_id: {
      accept: unique(filledText, taken, "OAuth2/OpenID Provider with this Client ID already exists."),
      initial: () => randomKey(40),
    },
    client_secret: { accept: text, initial: () => randomKey(128) },
    access_code_validity: validity("minutes=1"),
    access_token_validity: validity("hours=1"),
    refresh_token_validity: validity("days=30"),
    refresh_token_threshold: validity("seconds=0"),
    include_claims_in_id_token: { accept: bool, initial: () => true },
    signing_key: { accept: nullable(certificate), initial: () => null },
    encryption_key: { accept: nullable(certificate), initial: () => null },
    redirect_uris: { required: true, accept: list(release.knowsGrantTypes ? typedRedirectUri : redirectUri) },
    logout_uri: { accept: text, initial: () => "" },
    logout_method: { accept: choice("backchannel", "frontchannel"), initial: () => "backchannel" },
    sub_mode: {
      accept: choice("hashed_user_id", "user_id", "user_uuid", "user_username", "user_email", "user_upn"),
      initial: () => "hashed_user_id",
    },
    issuer_mode: { accept: choice("global", "per_provider"), initial: () => "per_provider" },
    jwt_federation_sources: { accept: list(text), initial: () => [] },
    jwt_federation_providers: { accept: list(reference((pk) => store.provider(pk))), initial: () => [] },
  };
}

function redirectUri(value: unknown): RedirectUri {
  const { matching_mode, url } = value as Partial<RedirectUri>;
  if (!matching_mode || !["strict", "regex"].includes(matching_mode)) {
    throw new FieldError([{ matching_mode: [`"${matching_mode}" is not a valid choice.`] }]);
  }
  if (typeof url !== "string") throw new FieldError([{ url: ["This field is required."] }]);
  return { matching_mode, url };
}

function typedRedirectUri(value: unknown): RedirectUri {
  const { redirect_uri_type = "authorization" } = value as Partial<RedirectUri>;
  return { ...redirectUri(value), redirect_uri_type: choice("authorization", "logout")(redirect_uri_type) as string };
}

/** What a provider shows inside an application. */
function briefProvider(store: Store, provider: Provider): Record<string, unknown> {
  const application = store.applicationOf(provider);
  return {
    pk: provider.pk,
    name: provider.name,
    authentication_flow: provider.authentication_flow,
    authorization_flow: provider.authorization_flow,
    invalidation_flow: provider.invalidation_flow,
    property_mappings: provider.property_mappings,
    component: "ak-provider-oauth2-form",
    assigned_application_slug: application?.slug ?? null,
    assigned_application_name: application?.name ?? null,
    assigned_backchannel_application_slug: null,
    assigned_backchannel_application_name: null,
    verbose_name: "OAuth2/OpenID Provider",
    verbose_name_plural: "OAuth2/OpenID Providers",
    meta_model_name: "authentik_providers_oauth2.oauth2provider",
  };
}

const showProvider = (store: Store, provider: Provider) => ({ ...briefProvider(store, provider), ...provider });

export function applications(store: Store): Collection<Application> {
  const { state } = store;
  return {
    path: "core/applications/",
    model: "Application",
    key: (application) => application.slug,
    rows: () => state.applications,
    show: (application) => showApplication(store, application),
    fields: (application) => applicationFields(store, application),
    create: (values) => {
      const application = { pk: randomUUID(), ...values } as unknown as Application;
      state.applications.push(application);
      return application;
    },
    update: (application, values) => {
      Object.assign(application, values);
    },
    remove: (application) => {
      state.applications = state.applications.filter((other) => other !== application);
      state.policyBindings = state.policyBindings.filter((binding) => binding.target !== application.pk);
    },
  };
}

function applicationFields({ state, provider, release }: Store, application?: Application): Fields {
  const others = state.applications.filter((other) => other !== application);
  return {
    name: { required: true, accept: filledText },
    slug: {
      required: true,
      accept: unique(
        slug,
        (value) => others.some((other) => other.slug === value),
        "Application with this slug already exists.",
      ),
    },
    provider: {
      accept: nullable(
        unique(
          reference((pk) => state.providers.some((candidate) => candidate.pk === pk)),
          (pk) => others.some((other) => String(other.provider) === String(pk)),
          "Application with this provider already exists.",
        ),
      ),
      initial: () => null,
    },
    backchannel_providers: { accept: list(reference(provider)), initial: () => [] },
    open_in_new_tab: { accept: bool, initial: () => false },
    meta_launch_url: { accept: text, initial: () => "" },
    meta_icon: { accept: text, initial: () => "" },
    meta_description: { accept: text, initial: () => "" },
    meta_publisher: { accept: text, initial: () => "" },
    ...(release.knowsGrantTypes && { meta_hide: { accept: bool, initial: () => false } }),
    policy_engine_mode: { accept: choice("all", "any"), initial: () => "any" },
    group: { accept: text, initial: () => "" },
  };
}

function showApplication(store: Store, application: Application): Record<string, unknown> {
  const provider = store.provider(application.provider);
  return {
    ...application,
    provider_obj: provider ? briefProvider(store, provider) : null,
    backchannel_providers_obj: [],
    launch_url: application.meta_launch_url || null,
    meta_icon_url: null,
    meta_icon_themed_urls: null,
  };
}

/** The OAuth2 URLs of one provider, null where they need an application. */
export function serveSetupUrls(router: Router, store: Store): void {
  router.on("GET", "/api/v3/providers/oauth2/:pk/setup_urls/", ({ origin }: Request, pk) => {
    const application = store.applicationOf(findRow(providers(store), pk));
    const base = `${origin}/application/o`;
    const own = application ? `${base}/${application.slug}` : null;
    return json(200, {
      issuer: own && `${own}/`,
      authorize: `${base}/authorize/`,
      token: `${base}/token/`,
      user_info: `${base}/userinfo/`,
      provider_info: own && `${own}/.well-known/openid-configuration`,
      logout: own && `${own}/end-session/`,
      ...(own ? { jwks: `${own}/jwks/` } : {}),
    });
  });
}
