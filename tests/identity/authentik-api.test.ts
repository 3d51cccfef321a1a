import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Authentik, startAuthentik } from "../../sandbox/authentik/server";
import { freePort } from "../../sandbox/process";
import { startTlsProxy, type TlsProxy } from "../../sandbox/tls-proxy";
import { connectAuthentik } from "../../src/identity/authentik-api";

const TOKEN = "authentik-api-test-token";

let authentik: Authentik;
let proxy: TlsProxy;
const servers: Server[] = [];

beforeAll(async () => {
  authentik = await startAuthentik({ token: TOKEN });
  proxy = await startTlsProxy(authentik.url);
});
afterAll(async () => {
  await proxy?.stop();
  await authentik?.stop();
  for (const server of servers) server.close();
});

/** @returns the URL of a server that answers everything with this status */
async function answering(status: number): Promise<string> {
  const server = createServer((_, answer) => answer.writeHead(status).end());
  servers.push(server);
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const failure = (url: string, token = TOKEN, ca?: string) =>
  connectAuthentik(url, token, ca).then(
    () => "connected",
    (error: Error) => error.message,
  );

describe("Authentik's API", () => {
  it("finds what is there, and does not find what is not", async () => {
    const api = await connectAuthentik(authentik.url, TOKEN);
    expect(await api.finds("flows/instances/?slug=default-authentication-flow")).toBe(true);
    expect(await api.finds("flows/instances/?slug=no-such-flow")).toBe(false);
    expect(await api.finds("propertymappings/provider/scope/?managed=no-such-mapping")).toBe(false);
  });

  it("is asked over TLS with a CA of one's own", async () => {
    const api = await connectAuthentik(proxy.url, TOKEN, proxy.ca);
    expect(await api.finds("flows/instances/?slug=default-authentication-flow")).toBe(true);
  });
});

/** A wrong token, an error of the server or a proxy, a certificate, nobody there: each in its own words. */
describe("without an answer, it is said what is wrong", () => {
  it("a token that Authentik does not take", async () => {
    const message = await failure(authentik.url, "wrong-token-of-the-test");
    expect(message).toBe(
      `Authentik at ${authentik.url} refused the API token (403): create one for an administrator (Directory > Tokens and App passwords, intent API) and put it in AUTHENTIK_TOKEN, or in the secret setting authentik:token. Nothing was changed.`,
    );
  });

  it.each([502, 503, 500])("%i of a proxy, or of Authentik itself", async (status) => {
    const url = await answering(status);
    expect(await failure(url)).toBe(
      `${url} (authentik:url) answered ${status} to /api/v3/core/users/me/: Authentik, or the proxy in front of it, is not well; look at their logs, and try again when it is up. Nothing was changed.`,
    );
  });

  it("something else than Authentik", async () => {
    const url = await answering(404);
    expect(await failure(url)).toBe(
      `${url} (authentik:url) answered 404 to /api/v3/core/users/me/: is that Authentik's base URL? Nothing was changed.`,
    );
  });

  it("nobody there", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await failure(url)).toBe(
      `Authentik at ${url} (authentik:url) does not answer (ECONNREFUSED): check the URL, and that the server is up and reachable from here. Nothing was changed.`,
    );
  });

  it("a certificate of a CA that nothing here names", async () => {
    expect(await failure(proxy.url)).toBe(
      `Authentik at ${proxy.url} (authentik:url) has a certificate that is not trusted here (DEPTH_ZERO_SELF_SIGNED_CERT): name a PEM file with the CA that signed it in harden-zot:registry.caFile. Nothing was changed.`,
    );
  });

  it("a certificate of another CA than caFile's", async () => {
    const other = await startTlsProxy(authentik.url);
    await other.stop();
    expect(await failure(proxy.url, TOKEN, other.ca)).toMatch(
      /has a certificate that is not trusted here .* with the CA that signed it in harden-zot:registry\.caFile\. /,
    );
  });

  it("a certificate for another name", async () => {
    const url = proxy.url.replace("127.0.0.1", "localhost");
    expect(await failure(url, TOKEN, proxy.ca)).toBe(
      `Authentik at ${url} (authentik:url) has a certificate for another name (ERR_TLS_CERT_ALTNAME_INVALID): make authentik:url the name that the certificate is for. Nothing was changed.`,
    );
  });
});
