import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { generate } from "selfsigned";

export interface TlsProxy {
  url: string;
  /** PEM of the certificate, which is its own CA. */
  ca: string;
  stop: () => Promise<void>;
}

/** A proxy with TLS on loopback, which says so to whom it stands before, and with a CA that nobody knows. */
export async function startTlsProxy(to: string): Promise<TlsProxy> {
  const { cert, private: key } = await generate([{ name: "commonName", value: "127.0.0.1" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    const { method, url: path } = incoming;
    const headers = { ...incoming.headers, "x-forwarded-proto": "https" };
    const onward = request(to, { method, headers, path }, (answered) => {
      outgoing.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(outgoing);
    });
    onward.on("error", () => outgoing.writeHead(502).end());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, ca: cert, stop };
}
