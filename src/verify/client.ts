import { setTimeout as sleep } from "node:timers/promises";
import { rootCertificates } from "node:tls";
import { Agent, type Dispatcher, interceptors, type RetryHandler, request } from "undici";
import { basic } from "../http/http";
import { foreign } from "../operator/foreign";

/** An answer, read to its end. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** ms since the epoch, half-way between request and answer. */
  at: number;
}

export interface Credentials {
  username: string;
  apiKey: string;
}

export interface Ask {
  /** Left out: anonymous. */
  as?: Credentials;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** How often a request that a rate limit refused is sent again; the wait doubles from 100 ms. */
const RETRIES = 5;
/** How long a connection and an answer may each take, in ms. */
const TIMEOUT = 15_000;
/** A new connection costs a TLS handshake, and the registry has other clients. */
const CONNECTIONS = 8;
/** A server may close a connection that it kept in the moment when it is used again (RFC 9112, section 9.3.1). */
const CLOSED = {
  maxRetries: 1,
  methods: ["GET", "HEAD"],
  errorCodes: ["UND_ERR_SOCKET", "ECONNRESET"],
  statusCodes: [],
} satisfies RetryHandler.RetryOptions;

/** Told to the registry, so that its log and its conditions can tell who asked. */
const USER_AGENT = "harden-zot-verify";

/**
 * Connections of a run, to be closed at its end.
 * @param ca PEM of certificate authorities to trust beside the usual ones
 */
export function openConnections(ca?: string): Dispatcher {
  const connections = new Agent({
    connections: CONNECTIONS,
    headersTimeout: TIMEOUT,
    bodyTimeout: TIMEOUT,
    connect: { timeout: TIMEOUT, ...(ca ? { ca: [...rootCertificates, ca] } : {}) },
  });
  return connections.compose(interceptors.retry(CLOSED));
}

/** Requests to one base URL; redirects are not followed. */
export class Client {
  constructor(
    readonly base: string,
    private readonly connections: Dispatcher,
  ) {}

  /** @param path under the base URL, or an absolute URL of the same server @throws when it is another, or gives no answer */
  async ask(method: string, path: string, { as, headers = {}, body }: Ask = {}): Promise<Answer> {
    const url = new URL(path, `${this.base}/`);
    if (url.origin !== new URL(this.base).origin)
      throw new Error(`${this.base} sends its clients on to ${url.origin}, where nothing was sent`);
    const sent = {
      "user-agent": USER_AGENT,
      ...(as ? { authorization: basic(as.username, as.apiKey) } : {}),
      ...headers,
    };
    for (let retry = 0; ; retry++) {
      const answer = await this.send(url, method as Dispatcher.HttpMethod, sent, body);
      if (answer.status !== 429 || retry === RETRIES) return answer;
      await sleep(100 * 2 ** retry);
    }
  }

  private async send(
    url: URL,
    method: Dispatcher.HttpMethod,
    headers: Record<string, string>,
    body: Ask["body"],
  ): Promise<Answer> {
    const begun = Date.now();
    const options = { method, headers, body: body ?? null, dispatcher: this.connections };
    const response = await request(url, options).catch((error: Error) => {
      throw new Error(`${url.origin} does not answer (${(error as NodeJS.ErrnoException).code ?? error.message})`);
    });
    const at = (begun + Date.now()) / 2;
    return { status: response.statusCode, headers: headersOf(response.headers), text: await response.body.text(), at };
  }
}

function headersOf(received: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received))
    for (const one of [value ?? []].flat()) headers.append(name, one);
  return headers;
}

/** `403 DENIED: this tag is immutable ...`: status, and the first error as the OCI distribution spec has it. */
export function describeAnswer({ status, text }: Answer): string {
  try {
    const parsed = JSON.parse(text) as { errors?: OciError[] } & OciError;
    const { code, detail } = parsed.errors?.[0] ?? parsed;
    return foreign([status, code].filter(Boolean).join(" ") + (detail?.reason ? `: ${detail.reason}` : ""));
  } catch {
    return String(status);
  }
}

interface OciError {
  code?: string;
  detail?: { reason?: string };
}
