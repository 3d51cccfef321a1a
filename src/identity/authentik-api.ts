import { createFetch, type Fetch, Unanswered } from "../http/http";
import { OperatorError } from "../operator/error";

/**
 * The questions that the program asks Authentik itself. The Terraform bridge logs why a lookup of its own failed but hands
 * the program an empty error, so that what is wrong is found out here.
 */
export class AuthentikApi {
  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly fetch: Fetch,
  ) {}

  /** @param path under /api/v3/ @throws OperatorError when there is no answer, or one that is an error */
  async get<Answer>(path: string): Promise<Answer> {
    const answer = await this.ask(path);
    if (!answer.ok) throw refused(this.url, path, answer.status);
    return (await answer.json()) as Answer;
  }

  /** @param path of a list, with what it is filtered by */
  async finds(path: string): Promise<boolean> {
    const answer = await this.ask(path);
    // Of a filter that chooses among what is there, Authentik says that there is no such choice.
    if (answer.status === 400) return false;
    if (!answer.ok) throw refused(this.url, path, answer.status);
    return ((await answer.json()) as { results: unknown[] }).results.length > 0;
  }

  private ask(path: string): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, accept: "application/json" };
    return this.fetch(`${this.url}/api/v3/${path}`, { headers, signal: AbortSignal.timeout(TIMEOUT) }).catch(
      (error: Error) => {
        throw error instanceof Unanswered ? unreachable(this.url, error) : error;
      },
    );
  }
}

/** How long Authentik may take to answer one question, in ms. */
const TIMEOUT = 15_000;

/**
 * @param ca PEM of certificate authorities to trust beside the usual ones
 * @throws OperatorError when Authentik cannot be reached or refuses the token
 */
export async function connectAuthentik(url: string, token: string, ca?: string): Promise<AuthentikApi> {
  const api = new AuthentikApi(url, token, await createFetch(ca));
  await api.get("core/users/me/");
  return api;
}

/** Authentik answers 403 to a wrong token, and never 401; a proxy in front of it may. */
function refused(url: string, path: string, status: number): OperatorError {
  if (status === 401 || status === 403) {
    return new OperatorError(
      `Authentik at ${url} refused the API token (${status}): create one for an administrator (Directory > Tokens and App passwords, intent API) and put it in AUTHENTIK_TOKEN, or in the secret setting authentik:token. Nothing was changed.`,
    );
  }
  const advice =
    status >= 500
      ? "Authentik, or the proxy in front of it, is not well; look at their logs, and try again when it is up."
      : "is that Authentik's base URL?";
  return new OperatorError(
    `${url} (authentik:url) answered ${status} to /api/v3/${path}: ${advice} Nothing was changed.`,
  );
}

function unreachable(url: string, { reason, because }: Unanswered): OperatorError {
  const [what, advice] = {
    untrusted: [
      "has a certificate that is not trusted here",
      "name a PEM file with the CA that signed it in harden-zot:registry.caFile",
    ],
    misnamed: ["has a certificate for another name", "make authentik:url the name that the certificate is for"],
    expired: ["has a certificate that has expired", "renew it"],
    silent: ["does not answer", "check the URL, and that the server is up and reachable from here"],
  }[because];
  return new OperatorError(`Authentik at ${url} (authentik:url) ${what} (${reason}): ${advice}. Nothing was changed.`);
}
