import { OperatorError } from "../settings/errors";

/** How long Authentik may take to answer one question, in ms. */
const TIMEOUT = 15_000;

/**
 * Asks Authentik who we are. The Terraform bridge logs why a lookup failed but hands the program an empty error, so
 * the two common causes are found out here, before anything is planned.
 * @throws OperatorError when Authentik cannot be reached or refuses the token
 */
export async function requireAuthentik(url: string, token: string): Promise<void> {
  const answer = await fetch(`${url}/api/v3/core/users/me/`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT),
  }).catch((error: Error) => unreachable(url, error));
  if (answer?.status === 403 || answer?.status === 401) {
    throw new OperatorError(
      `Authentik at ${url} refused the API token: create one for an administrator (Directory > Tokens and App passwords, intent API) and put it in AUTHENTIK_TOKEN, or in the secret setting authentik:token. Nothing was changed.`,
    );
  }
  if (answer && !answer.ok) {
    throw new OperatorError(
      `${url} (authentik:url) answered ${answer.status} to /api/v3/core/users/me/: is that Authentik's base URL, and is it up? Nothing was changed.`,
    );
  }
}

/** Node does not know the system's certificate authorities, the provider does: what only TLS objects to is left to it. */
function unreachable(url: string, error: Error): undefined {
  const { code } = (error.cause ?? {}) as { code?: string };
  if (code && /CERT|SIGNATURE|ISSUER|TLS|SSL/.test(code)) return undefined;
  throw new OperatorError(
    `Authentik at ${url} (authentik:url) does not answer (${code ?? error.name}): check the URL, and that the server is up and reachable from here. Nothing was changed.`,
  );
}
