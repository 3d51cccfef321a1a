import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseCookie } from "cookie";

/** A request, read. */
export interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  /** Scheme and authority as the client wrote them; Authentik builds every absolute URL from them. */
  origin: string;
  headers: IncomingMessage["headers"];
  cookies: Record<string, string | undefined>;
  /** Parsed JSON or form; undefined when there is none. */
  body: unknown;
  /** 32 hex digits; comes back in error bodies. */
  id: string;
}

export interface Reply {
  status: number;
  /** An object is sent as JSON, a string as HTML. */
  body?: unknown;
  headers?: Record<string, string>;
  cookies?: string[];
}

/** A reply that ends the handling of a request from anywhere inside it. */
export class Refusal extends Error {
  constructor(readonly reply: Reply) {
    super(`refused with ${reply.status}`);
  }
}

export const json = (status: number, body: unknown): Reply => ({ status, body });
export const html = (status: number, body: string): Reply => ({ status, body });
export const noContent: Reply = { status: 204 };
export const redirect = (location: string): Reply => ({ status: 302, body: "", headers: { location } });
export const notFound = (model: string): Refusal =>
  new Refusal(json(404, { detail: `No ${model} matches the given query.` }));
export const invalid = (errors: object): Refusal => new Refusal(json(400, errors));

/** @param trusts whether what this peer says of the client's own scheme is believed */
export async function readRequest(message: IncomingMessage, trusts: (address: string) => boolean): Promise<Request> {
  const forwarded = trusts(message.socket.remoteAddress ?? "") ? message.headers["x-forwarded-proto"] : undefined;
  const scheme = String(forwarded ?? "http");
  const origin = `${scheme}://${message.headers.host}`;
  const url = new URL(message.url ?? "/", origin);
  return {
    method: message.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    origin,
    headers: message.headers,
    cookies: parseCookie(message.headers.cookie ?? ""),
    body: await readBody(message),
    id: randomUUID().replaceAll("-", ""),
  };
}

const LARGEST_BODY = 1024 * 1024;

async function readBody(message: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new Refusal(json(413, { detail: "Request body too large." }));
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  const text = Buffer.concat(chunks).toString("utf8");
  const type = message.headers["content-type"] ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) return Object.fromEntries(new URLSearchParams(text));
  if (!type.startsWith("application/json")) {
    throw new Refusal(json(415, { detail: `Unsupported media type "${type}" in request.` }));
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid({ detail: `JSON parse error - ${(error as Error).message}` });
  }
}

export function send(response: ServerResponse, { status, body, headers = {}, cookies = [] }: Reply, id: string): void {
  const isHtml = typeof body === "string";
  const text = body === undefined ? "" : isHtml ? body : JSON.stringify(body);
  response.writeHead(status, {
    ...(body === undefined ? {} : { "content-type": isHtml ? "text/html; charset=utf-8" : "application/json" }),
    "content-length": Buffer.byteLength(text),
    "x-authentik-id": id,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    ...headers,
    ...(cookies.length > 0 ? { "set-cookie": cookies } : {}),
  });
  response.end(text);
}

type Handler = (request: Request, ...captured: string[]) => Reply | Promise<Reply>;

/** Routes in order; `:x` in a pattern captures one path segment. */
export class Router {
  private readonly prefixes: { prefix: string; handle: Handler }[] = [];
  private readonly routes: { method: string; pattern: RegExp; handle: Handler }[] = [];

  on(method: string, path: string, handle: Handler): void {
    const pattern = new RegExp(`^${path.replace(/[.]/g, "\\.").replace(/:\w+/g, "([^/]+)")}$`);
    this.routes.push({ method, pattern, handle });
  }

  /** Everything under a prefix, by any method, that no earlier route took. */
  under(prefix: string, handle: Handler): void {
    this.prefixes.push({ prefix, handle });
  }

  async answer(request: Request): Promise<Reply> {
    const method = request.method === "HEAD" ? "GET" : request.method;
    const matching = this.routes.filter((route) => route.pattern.test(request.path));
    const route = matching.find((candidate) => candidate.method === method);
    if (route) {
      const captured = (route.pattern.exec(request.path) as RegExpExecArray).slice(1).map(decodeSegment);
      return await route.handle(request, ...captured);
    }
    const beneath = this.prefixes.find(({ prefix }) => request.path.startsWith(prefix));
    if (beneath) return await beneath.handle(request);
    if (matching.length > 0) return json(405, { detail: `Method "${request.method}" not allowed.` });
    return html(404, "<!DOCTYPE html><title>Not Found - authentik</title><h1>Not Found</h1>");
  }
}

/** A segment that is no valid encoding names nothing, and so is left to be not found. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
