import { OperatorError } from "../../operator/error";

const TIMEOUT = 30_000;

/** The REST API of a forge, as one owner's secrets are reached in it. */
export interface ForgeApi {
  /** "Forgejo" or "GitHub", for errors. */
  kind: string;
  /** Base URL of the API. */
  url: string;
  headers: Record<string, string>;
  /** Name of the stack's secret that holds the token. */
  tokenName: string;
  /** "repository owner/name" or "organization name" */
  owner: string;
  /** What the token must be allowed to do. */
  scope: string;
}

/**
 * One call. A certificate that is not trusted here is a matter of NODE_EXTRA_CA_CERTS.
 * @returns the answer, with a status of 2xx or one of `accepted`
 * @throws OperatorError in one sentence, without the token and without what was sent
 */
export async function call(
  api: ForgeApi,
  method: string,
  path: string,
  body?: object,
  accepted: number[] = [],
): Promise<Response> {
  const response = await reach(api, `${api.url}/${path}`, {
    method,
    redirect: "manual",
    headers: { "content-type": "application/json", "user-agent": "harden-zot", ...api.headers },
    signal: AbortSignal.timeout(TIMEOUT),
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (response.ok || accepted.includes(response.status)) return response;
  await response.body?.cancel();
  throw new OperatorError(`${api.kind} at ${api.url} ${explain(api, response)}`);
}

async function reach(api: ForgeApi, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    const { name, cause } = error as Error & { cause?: Error & { code?: string } };
    const reason = cause?.code ?? name;
    const advice = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(reason)
      ? "its certificate is not trusted here; name the file of the CA that signed it in NODE_EXTRA_CA_CERTS"
      : "check `url`, and that it runs and this machine reaches it";
    throw new OperatorError(`${api.kind} at ${api.url} does not answer (${reason}): ${advice}`);
  }
}

function explain({ owner, scope, tokenName }: ForgeApi, { status, headers }: Response): string {
  const newToken = `\`pulumi config set --secret harden-zot:${tokenName}\``;
  switch (status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return `answered with a redirect to ${originOf(headers.get("location"))}: set \`url\` to where it really is`;
    case 401:
      return `refused the token (401): it is wrong, expired or revoked; set another with ${newToken}`;
    case 403:
      return `does not let this token write the secrets of ${owner} (403): it needs ${scope}, and its account must administer the ${owner.split(" ")[0]}; set another with ${newToken}`;
    case 404:
      return `knows no ${owner} that this token may see (404): check the spelling, and that the token's account has access`;
    default:
      return `answered ${status} for the secrets of ${owner}: its log says why`;
  }
}

function originOf(location: string | null): string {
  return location && URL.canParse(location) ? new URL(location).origin : "another place";
}
