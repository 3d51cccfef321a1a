import { createHash, createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { exportJWK, type JWK, SignJWT } from "jose";
import type { Provider, User } from "../model";
import { seconds } from "../sessions";
import { randomKey, type Store } from "../store";

export interface Grant {
  provider: Provider;
  user: User;
  scopes: string[];
  issuer: string;
  /** Unix seconds. */
  authenticatedAt: number;
  method: "password" | "token" | null;
  nonce?: string;
  /** Browser session the code came from; a machine's grant has none. */
  sid?: string;
}

/** Scopes that the provider has a mapping for, of those asked for; the others are dropped in silence. Sorted. */
export function grantedScopes(store: Store, provider: Provider, asked: string): string[] {
  const known = mappedScopes(store, provider);
  return [...new Set(asked.split(/\s+/))].filter((scope) => known.includes(scope)).sort();
}

export const mappedScopes = (store: Store, provider: Provider) =>
  store.state.scopeMappings.filter(({ pk }) => provider.property_mappings.includes(pk)).map((each) => each.scope_name);

/** What the default scope mappings give; groups come with `profile`, direct ones alone. */
export function scopeClaims(store: Store, user: User, scopes: string[]): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  if (scopes.includes("email")) Object.assign(claims, { email: user.email, email_verified: false });
  if (scopes.includes("profile")) {
    Object.assign(claims, {
      name: user.name,
      given_name: user.name,
      preferred_username: user.username,
      nickname: user.username,
      groups: user.groups.map((pk) => store.group(pk)?.name),
    });
  }
  return claims;
}

export function subject(provider: Provider, user: User): string {
  const subjects: Record<string, string> = {
    user_id: String(user.pk),
    user_uuid: user.uuid,
    user_username: user.username,
    user_email: user.email,
  };
  return subjects[provider.sub_mode] ?? user.uid;
}

/** ID token and access token: one set of claims, the latter with azp, uid and scope more. */
export async function issueTokens(store: Store, grant: Grant): Promise<object> {
  const { provider, user, scopes, method, nonce, sid } = grant;
  const lifetime = seconds(provider.access_token_validity);
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: grant.issuer,
    sub: subject(provider, user),
    aud: provider.client_id,
    exp: now + lifetime,
    iat: now,
    auth_time: grant.authenticatedAt,
    acr: "goauthentik.io/providers/oauth2/default",
    ...(method === "password" ? { amr: ["pwd"] } : {}),
    ...(nonce ? { nonce } : {}),
    ...(sid ? { sid: createHash("sha256").update(sid).digest("hex") } : {}),
    jti: randomKey(40),
  };
  const mapped = scopeClaims(store, user, scopes);
  const scope = scopes.join(" ");
  const access = { ...claims, ...mapped, azp: provider.client_id, uid: randomKey(40), scope };
  const id = provider.include_claims_in_id_token ? { ...claims, ...mapped } : claims;
  const [access_token, id_token] = await Promise.all([sign(store, provider, access), sign(store, provider, id)]);
  return { access_token, token_type: "Bearer", scope, expires_in: lifetime, id_token };
}

/** RS256 under the provider's signing key; without one HS256 under the client secret, as Authentik does. */
async function sign(store: Store, provider: Provider, claims: Record<string, unknown>): Promise<string> {
  const token = new SignJWT(claims);
  if (provider.signing_key === null) {
    const secret = new TextEncoder().encode(provider.client_secret);
    return await token.setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(secret);
  }
  const { privateKey, certificate } = await store.signingCertificate();
  const kid = keyId(certificate);
  return await token.setProtectedHeader({ alg: "RS256", kid, typ: "JWT" }).sign(createPrivateKey(privateKey));
}

function keyId(certificate: string): string {
  const der = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha512").update(der).digest("base64url");
}

export async function keySet(store: Store, provider: Provider): Promise<{ keys?: JWK[] }> {
  if (provider.signing_key === null) return {};
  const { certificate } = await store.signingCertificate();
  const x509 = new X509Certificate(certificate);
  const thumbprint = (algorithm: string) => createHash(algorithm).update(x509.raw).digest("base64url");
  const key: JWK = {
    alg: "RS256",
    kid: keyId(certificate),
    use: "sig",
    ...(await exportJWK(createPublicKey(certificate))),
    x5c: [x509.raw.toString("base64")],
    x5t: thumbprint("sha1"),
    "x5t#S256": thumbprint("sha256"),
  };
  return { keys: [key] };
}
