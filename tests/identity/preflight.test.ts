import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { type Authentik, type AuthentikOptions, startAuthentik } from "../../sandbox/authentik/server";
import { ask } from "../../sandbox/people";
import { startTlsProxy, type TlsProxy } from "../../sandbox/tls-proxy";
import { connectAuthentik } from "../../src/identity/authentik-api";
import { requireIssuer } from "../../src/identity/issuer";
import { lacksGrantTypes } from "../../src/identity/preflight";
import { requireProviderTrust } from "../../src/identity/provider-trust";
import { createWorld, type World } from "../contract/authentik-world";

const REDIRECT = "http://127.0.0.1:5999/zot/auth/callback/oidc";
const TOKEN = "preflight-test-token";

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** An Authentik with a registry's client, behind a TLS proxy too. */
async function start(
  options: Partial<AuthentikOptions> = {},
  client: object = {},
): Promise<{
  authentik: Authentik;
  world: World;
  proxy: TlsProxy;
}> {
  const authentik = await startAuthentik({ token: TOKEN, ...options });
  undo.push(authentik.stop);
  const proxy = await startTlsProxy(authentik.url);
  undo.push(proxy.stop);
  return { authentik, proxy, world: await createWorld(authentik, REDIRECT, client) };
}

const said = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "",
    (error: Error) => error.message,
  );

describe("the grant types of the registry's client", () => {
  it.each([
    ["2026.2", {}, false],
    ["2026.5", { grant_types: undefined }, true],
    ["2026.5", { grant_types: ["client_credentials"] }, true],
    ["2026.5", { grant_types: ["authorization_code"] }, false],
    ["2026.8", { grant_types: undefined }, true],
  ])("Authentik %s, a client made with %j: lacking %s", async (version, made, lacking) => {
    const { authentik, world } = await start({ version }, made);
    const api = await connectAuthentik(authentik.url, TOKEN);
    expect(await lacksGrantTypes(api, world.clientId)).toBe(lacking);
  });

  it("are not missed where there is no client yet", async () => {
    const { authentik } = await start({ version: "2026.5" });
    expect(await lacksGrantTypes(await connectAuthentik(authentik.url, TOKEN), "not-made-yet")).toBe(false);
  });
});

describe("the issuer", () => {
  const issuerOf = (url: string, slug: string) => `${url}/application/o/${slug}/`;

  it("is right where it calls itself what zot expects", async () => {
    const { authentik, world, proxy } = await start({ version: "2026.8" });
    expect(await said(requireIssuer(issuerOf(authentik.url, world.slug)))).toBe("");
    expect(await said(requireIssuer(issuerOf(proxy.url, world.slug), proxy.ca))).toBe("");
  });

  it("is not missed before the first up", async () => {
    const { authentik } = await start();
    expect(await said(requireIssuer(issuerOf(authentik.url, "not-made-yet")))).toBe("");
  });

  it("behind a proxy that Authentik does not trust: the cause and its setting are named", async () => {
    const { world, proxy } = await start({ version: "2026.8", trustedProxies: ["10.0.0.0/8"] });
    const issuer = issuerOf(proxy.url, world.slug);
    expect(await said(requireIssuer(issuer, proxy.ca))).toBe(
      `the OIDC issuer ${issuer} calls itself '${issuer.replace("https:", "http:")}', and zot, which compares them byte for byte, would not start again: Authentik does not believe the proxy in front of it that the request came over https. Add the proxy's network to AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS in Authentik's environment, have the proxy send X-Forwarded-Proto, and restart Authentik. Nothing was changed.`,
    );
  });

  it("under another name: authentik:url is to be the one that Authentik goes by", async () => {
    const { authentik, world } = await start();
    const issuer = issuerOf(authentik.url.replace("127.0.0.1", "localhost"), world.slug);
    expect(await said(requireIssuer(issuer.replace("localhost", "127.0.0.1")))).toBe("");
    await ask(authentik, "PATCH", `providers/oauth2/${world.providerPk}/`, { issuer_mode: "global" });
    expect(await said(requireIssuer(issuer))).toMatch(
      /calls itself 'http:\/\/localhost:\d+\/', and zot, .*: Authentik knows itself by another URL\. Make authentik:url that one\. Nothing was changed\.$/,
    );
  });
});

describe("the Terraform provider's certificate authorities", () => {
  const directory = mkdtempSync(join(tmpdir(), "harden-zot-trust-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  const file = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const NONE = { SSL_CERT_DIR: directory, SSL_CERT_FILE: "/nonexistent" };

  it("are the system's, which caFile is not added to", async () => {
    const { proxy } = await start();
    expect(await said(requireProviderTrust(proxy.url, "/etc/ca.pem", "linux", {}))).toBe(
      `harden-zot:registry.caFile = "/etc/ca.pem" is not for the Terraform provider, which would end in x509 at ${proxy.url} (authentik:url): it trusts the certificate authorities of this machine alone. Add that CA to them (update-ca-certificates, update-ca-trust), or run pulumi with SSL_CERT_FILE naming a PEM file that holds it beside the usual ones. Nothing was changed.`,
    );
  });

  it("are those of SSL_CERT_FILE", async () => {
    const { proxy } = await start();
    const environment = { ...NONE, SSL_CERT_FILE: file("ca.pem", proxy.ca) };
    expect(await said(requireProviderTrust(proxy.url, "/etc/ca.pem", "linux", environment))).toBe("");
  });

  it("are those in the directories of SSL_CERT_DIR", async () => {
    const { proxy } = await start();
    expect(await said(requireProviderTrust(proxy.url, "/etc/ca.pem", "linux", NONE))).toMatch(/x509/);
    file("another.crt", proxy.ca);
    expect(await said(requireProviderTrust(proxy.url, "/etc/ca.pem", "linux", NONE))).toBe("");
  });

  it.each(["darwin", "win32"] as const)("are not known on %s, where nothing is said", async (platform) => {
    const { proxy } = await start();
    expect(await said(requireProviderTrust(proxy.url, "/etc/ca.pem", platform, {}))).toBe("");
  });

  it("do not matter over plain http", async () => {
    const { authentik } = await start();
    expect(await said(requireProviderTrust(authentik.url, "/etc/ca.pem", "linux", NONE))).toBe("");
  });
});
