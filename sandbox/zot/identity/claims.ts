import type { Provider } from "./relying-party";

type Claims = Record<string, unknown>;

/**
 * Who logged in: the mapped claim of the userinfo answer, else its e-mail address; the groups of userinfo and ID token
 * together, sorted (zot 2.1.20, extractOpenIDIdentity). Undefined if no claim names the user.
 */
export function identityFromClaims(
  mapping: Provider["claimMapping"],
  { userinfo, idToken }: { userinfo: Claims; idToken: Claims },
): { name: string; groups: string[] } | undefined {
  const name = text(userinfo[mapping?.username || "email"]) || text(userinfo.email);
  if (!name) return undefined;
  const claim = mapping?.groups || "groups";
  const groups = [...list(userinfo[claim]), ...list(idToken[claim])].sort();
  return { name, groups: [...new Set(groups)] };
}

const text = (claim: unknown) => (typeof claim === "string" ? claim : "");

function list(claim: unknown): string[] {
  const values = Array.isArray(claim) ? claim : [claim];
  return values.filter((value) => value !== null && value !== undefined && value !== "").map(String);
}
