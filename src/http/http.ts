import { rootCertificates } from "node:tls";
import { OperatorError } from "../operator/error";

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

type Cause = "untrusted" | "misnamed" | "expired" | "silent";

const ADVICE: Record<Cause, string> = {
  untrusted: "its certificate is not trusted here: name the CA that signed it in harden-zot:registry.caFile",
  misnamed: "its certificate is for another name",
  expired: "its certificate has expired: renew it",
  silent: "check that it runs and that this host reaches it",
};

/** There was no answer at all. */
export class Unanswered extends OperatorError {
  constructor(
    url: string,
    /** A code of Node's, or words. */
    readonly reason: string,
    readonly because: Cause,
  ) {
    super(`${new URL(url).origin} does not answer (${reason}): ${ADVICE[because]}`);
  }
}

function unanswered(url: string, { message, name, cause }: Error): Unanswered {
  const { code, message: deeper } = (cause ?? {}) as Error & { code?: string };
  const reason = code ?? deeper ?? (name === "TimeoutError" ? name : message);
  return new Unanswered(url, reason, causeOf(reason));
}

function causeOf(reason: string): Cause {
  if (reason.includes("ALTNAME")) return "misnamed";
  if (reason.includes("EXPIRED")) return "expired";
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(reason) ? "untrusted" : "silent";
}

/** RFC 7617. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
