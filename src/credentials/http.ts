import { rootCertificates } from "node:tls";
import { OperatorError } from "../settings/errors";

/** Like the global fetch, but for a URL as text. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

const TIMEOUT = 30_000;

/**
 * A fetch that gives up after 30 s and says in an operator's words when there is no answer at all.
 * @param ca PEM of certificate authorities to trust beside the usual ones
 * @param given stands in for the global fetch
 */
export async function createFetch(ca?: string, given?: Fetch): Promise<Fetch> {
  const fetchOne = given ?? (ca ? await fetchTrusting(ca) : (fetch as Fetch));
  return async (url, init) => {
    try {
      return await fetchOne(url, { signal: AbortSignal.timeout(TIMEOUT), ...init });
    } catch (error) {
      throw unanswered(url, error as Error);
    }
  };
}

async function fetchTrusting(ca: string): Promise<Fetch> {
  // Loaded only for a CA, which the global fetch cannot be given.
  const { Agent, fetch: undiciFetch } = await import("undici");
  const dispatcher = new Agent({ connect: { ca: [...rootCertificates, ca] } });
  return (url, init) => undiciFetch(url, { ...init, dispatcher } as never) as unknown as Promise<Response>;
}

function unanswered(url: string, { message, cause }: Error): OperatorError {
  const { code, message: deeper } = (cause ?? {}) as Error & { code?: string };
  const reason = code ?? deeper ?? message;
  const advice = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(reason)
    ? "its certificate is not trusted here: name the CA that signed it in a CA file"
    : "check that it runs and that this host reaches it";
  return new OperatorError(`${new URL(url).origin} does not answer (${reason}): ${advice}`);
}

/** RFC 7617. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
