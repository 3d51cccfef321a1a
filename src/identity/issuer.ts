import { createFetch } from "../http/http";
import { OperatorError } from "../operator/error";

/** Why an issuer calls itself otherwise than zot expects, and what to do about it: two sentences without their full stops. */
export function explainIssuer(seen: string, expected: string): { cause: string; remedy: string } {
  if (seen === expected.replace(/^https:/, "http:")) {
    return {
      cause: "Authentik does not believe the proxy in front of it that the request came over https",
      remedy:
        "Add the proxy's network to AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS in Authentik's environment, have the proxy send X-Forwarded-Proto, and restart Authentik",
    };
  }
  return { cause: "Authentik knows itself by another URL", remedy: "Make authentik:url that one" };
}

/**
 * zot asks for the discovery document at its start, and never again: what an upgrade of Authentik changed shows at the next
 * restart, which may be weeks away. Before the first up there is none, and one that is not to be had from here is left to
 * the host, which asks as well.
 * @throws OperatorError when zot would not start with that issuer
 */
export async function requireIssuer(issuer: string, ca?: string): Promise<void> {
  const seen = await discover(issuer, ca);
  if (seen === undefined || seen === issuer) return;
  const { cause, remedy } = explainIssuer(seen, issuer);
  throw new OperatorError(
    `the OIDC issuer ${issuer} calls itself '${seen}', and zot, which compares them byte for byte, would not start again: ${cause}. ${remedy}. Nothing was changed.`,
  );
}

async function discover(issuer: string, ca?: string): Promise<string | undefined> {
  const fetch = await createFetch(ca);
  try {
    const answer = await fetch(`${issuer}.well-known/openid-configuration`);
    return answer.ok ? ((await answer.json()) as { issuer?: string }).issuer : undefined;
  } catch {
    return undefined;
  }
}
