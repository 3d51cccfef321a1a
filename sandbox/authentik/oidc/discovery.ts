import type { Provider } from "../model";
import type { Store } from "../store";
import { mappedScopes } from "./claims";

export const issuerOf = (origin: string, slug: string, provider: Provider) =>
  provider.issuer_mode === "global" ? `${origin}/` : `${origin}/application/o/${slug}/`;

/** Endpoints that act on codes and tokens are shared by all applications; issuer, keys and logout are each one's own. */
export function discovery(store: Store, origin: string, slug: string, provider: Provider): object {
  const base = `${origin}/application/o`;
  return {
    issuer: issuerOf(origin, slug, provider),
    authorization_endpoint: `${base}/authorize/`,
    token_endpoint: `${base}/token/`,
    userinfo_endpoint: `${base}/userinfo/`,
    end_session_endpoint: `${base}/${slug}/end-session/`,
    introspection_endpoint: `${base}/introspect/`,
    revocation_endpoint: `${base}/revoke/`,
    device_authorization_endpoint: `${base}/device/`,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    response_types_supported: [
      "code",
      "id_token",
      "id_token token",
      "code token",
      "code id_token",
      "code id_token token",
    ],
    response_modes_supported: ["query", "fragment", "form_post"],
    jwks_uri: `${base}/${slug}/jwks/`,
    grant_types_supported: [
      "authorization_code",
      "refresh_token",
      "implicit",
      "client_credentials",
      "password",
      "urn:ietf:params:oauth:grant-type:device_code",
    ],
    id_token_signing_alg_values_supported: [provider.signing_key ? "RS256" : "HS256"],
    subject_types_supported: ["public"],
    token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
    acr_values_supported: ["goauthentik.io/providers/oauth2/default"],
    scopes_supported: mappedScopes(store, provider),
    request_parameter_supported: false,
    claims_supported: claimsOf(mappedScopes(store, provider)),
    claims_parameter_supported: false,
    code_challenge_methods_supported: ["plain", "S256"],
  };
}

function claimsOf(scopes: string[]): string[] {
  const email = scopes.includes("email") ? ["email", "email_verified"] : [];
  const names = ["name", "given_name", "preferred_username", "nickname", "groups"];
  const profile = scopes.includes("profile") ? names : [];
  return ["sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", ...email, ...profile];
}
