import { readFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { json } from "node:stream/consumers";
import { rootCertificates } from "node:tls";
import type { Properties, Value } from "../wire";

export interface ApiOptions {
  /** Of the server, with or without /api/v3. */
  url: string;
  token: string;
  headers: Record<string, string>;
  /** Accept any TLS certificate. */
  insecure: boolean;
}

export class NotFound extends Error {}

/** Authentik's REST API. Errors are worded as the Terraform provider words them. */
export class Api {
  private readonly base: string;

  constructor(private readonly options: ApiOptions) {
    const url = options.url.replace(/\/+$/, "");
    this.base = url.endsWith("/api/v3") ? url : `${url}/api/v3`;
  }

  get = (path: string) => this.send("GET", path);
  post = (path: string, body: Properties) => this.send("POST", path, body);
  put = (path: string, body: Properties) => this.send("PUT", path, body);
  delete = (path: string) => this.send("DELETE", path);

  /** The objects of a list that a filter leaves. */
  async list(path: string): Promise<Properties[]> {
    return (await this.get(path)).results as Properties[];
  }

  /** @throws NotFound on 404 */
  private async send(method: string, path: string, body?: Properties): Promise<Properties> {
    const url = new URL(this.base + path);
    const answer = await this.exchange(method, url, body && JSON.stringify(body));
    const { statusCode = 0, statusMessage = "" } = answer;
    if (statusCode === 204) return answer.resume() && {};
    const content = (await json(answer).catch(() => ({}))) as Properties;
    if (statusCode < 300) return content;
    const detail = typeof content.detail === "string" ? `  (${content.detail})` : "";
    const message = `HTTP Error '${statusCode} ${statusMessage}${detail}' during request '${method} ${url.pathname}': "${JSON.stringify(content)}"`;
    throw statusCode === 404 ? new NotFound(message) : new Error(message);
  }

  private exchange(method: string, url: URL, body: string | undefined): Promise<IncomingMessage> {
    const { token, headers, insecure } = this.options;
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((settle, fail) => {
      const sent = request(url, {
        method,
        rejectUnauthorized: !insecure,
        ca: authorities,
        headers: {
          ...headers,
          authorization: `Bearer ${token}`,
          accept: "application/json",
          "user-agent": "authentik-terraform@2026.5.0",
          ...(body && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
        },
      });
      sent.once("response", settle);
      sent.once("error", (error) => fail(new Error(unreachable(method, url, error))));
      sent.end(body);
    });
  }
}

/** As a Go program finds them, but for the system's own. */
const { SSL_CERT_FILE: file } = process.env;
const authorities = file ? [...rootCertificates, readFileSync(file, "utf8")] : undefined;

function unreachable(method: string, url: URL, error: NodeJS.ErrnoException): string {
  const verb = method[0] + method.slice(1).toLowerCase();
  const cause = error.code === "ECONNREFUSED" ? `dial tcp ${url.host}: connect: connection refused` : error.message;
  return `HTTP Error '${verb} "${url}": ${cause}' without http response`;
}

export function filter(parameters: Record<string, Value | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    for (const each of Array.isArray(value) ? value : [value]) if (each) query.append(name, String(each));
  return `?${query}`;
}
