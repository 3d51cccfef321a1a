import type { Settings } from "../settings/settings";

/** Issuer of the registry's application, exactly as its discovery document spells it: with the slash. */
export function issuerUrl({ authentikUrl, identity }: Settings): string {
  return `${authentikUrl}/application/o/${identity.slug}/`;
}

/** Where zot 2.1.20 takes the authorization code. */
export function redirectUri({ registry }: Settings): string {
  return `${registry.externalUrl}/zot/auth/callback/oidc`;
}
