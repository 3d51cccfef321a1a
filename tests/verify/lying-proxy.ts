import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { generate } from "selfsigned";

export interface Exchange {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
}

/** What comes back instead of the registry's answer, or with it changed. */
export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface Lie {
  /** Changes the request on its way, or answers it. */
  request?: (exchange: Exchange) => Partial<Reply> | undefined;
  /** Changes the answer on its way back. */
  reply?: (exchange: Exchange, reply: Reply) => void;
}

/** A proxy with TLS in front of a registry, as in production, that can be told to lie in one way. */
export class LyingProxy {
  /** Every request since it was last emptied. */
  readonly seen: Exchange[] = [];
  lie: Lie = {};
  private backend = 0;

  private constructor(
    private readonly server: Server,
    /** PEM of the certificates it may show. */
    readonly ca: string,
    private readonly certificates: Record<"good" | "ending", { cert: string; key: string }>,
  ) {}

  static async start(): Promise<LyingProxy> {
    const [good, ending] = await Promise.all([certificate(90), certificate(5)]);
    const server = createSecureServer({ ...good, minVersion: "TLSv1.2" });
    const proxy = new LyingProxy(server, `${good.cert}\n${ending.cert}`, { good, ending });
    server.on("request", (incoming, response) => proxy.pass(incoming, response));
    await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** @param port of the registry behind */
  forwardTo(port: number): void {
    this.backend = port;
  }

  show(which: "good" | "ending"): void {
    this.server.setSecureContext({ ...this.certificates[which], minVersion: "TLSv1.2" });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((settle) => this.server.close(settle));
  }

  private async pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange: Exchange = {
      method: incoming.method ?? "",
      path: incoming.url ?? "",
      headers: { ...incoming.headers },
    };
    this.seen.push({ ...exchange, headers: incoming.headers });
    const body = await bodyOf(incoming);
    const instead = this.lie.request?.(exchange);
    const reply: Reply = instead ? { status: 200, headers: {}, body: "", ...instead } : await this.ask(exchange, body);
    this.lie.reply?.(exchange, reply);
    const { "transfer-encoding": _, ...headers } = reply.headers;
    if (exchange.method !== "HEAD") headers["content-length"] = String(Buffer.byteLength(reply.body));
    response.writeHead(reply.status, headers as Record<string, string>).end(reply.body);
  }

  private ask({ method, path, headers }: Exchange, body: Buffer): Promise<Reply> {
    return new Promise((settle, fail) => {
      const sent = request({ host: "127.0.0.1", port: this.backend, method, path, headers }, async (answer) => {
        settle({ status: answer.statusCode ?? 0, headers: answer.headers, body: String(await bodyOf(answer)) });
      });
      sent.on("error", fail);
      sent.end(body);
    });
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function certificate(days: number): Promise<{ cert: string; key: string }> {
  const notAfterDate = new Date(Date.now() + days * 86_400_000);
  const { cert, private: key } = await generate([{ name: "commonName", value: `proxy for ${days} days` }], {
    notAfterDate,
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  return { cert, key };
}
