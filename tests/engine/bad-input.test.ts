import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pullManifest, pushImage } from "../../sandbox/distribution";
import { freePort } from "../../sandbox/process";
import { type Sandbox, startSandbox } from "../../sandbox/sandbox";
import type { Stack } from "../../sandbox/stack";
import { startTlsProxy } from "../../sandbox/tls-proxy";
import type { RawSettings } from "../../src/settings/settings";
import { tinyImage } from "../../src/verify/image";

type Section = Record<string, unknown>;

interface Mistake {
  title: string;
  /** Spoils the settings; returns the stack to run where that needs another environment. */
  spoil: (settings: RawSettings, sandbox: Sandbox) => Promise<Stack | undefined> | Stack | undefined;
  /** Cause and remedy, as the operator reads them. */
  says: RegExp[];
}

const host = (settings: RawSettings) => (settings["harden-zot:hosts"] as Section[])[0] as Section;
const registry = (settings: RawSettings) => settings["harden-zot:registry"] as Section;
const change = (section: Section, values: Section) => {
  Object.assign(section, values);
  return undefined;
};

/** Servers that some mistakes need, ended with the file. */
const servers: Server[] = [];

async function serve(handler: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer(handler as never);
  servers.push(server);
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  return (server.address() as AddressInfo).port;
}

/** Authentik under a second address: it goes on naming the first one as its issuer. */
function anotherAddressOf(authentikUrl: string): Promise<number> {
  return serve(async (request, answer) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { host: _, connection: __, "content-length": ___, ...headers } = request.headers;
    const reply = await fetch(`${authentikUrl}${request.url}`, {
      method: request.method ?? "GET",
      headers: headers as Record<string, string>,
      redirect: "manual",
      ...(chunks.length > 0 ? { body: new Uint8Array(Buffer.concat(chunks)) } : {}),
    });
    answer.writeHead(reply.status, { "content-type": reply.headers.get("content-type") ?? "text/plain" });
    answer.end(Buffer.from(await reply.arrayBuffer()));
  });
}

let tls: { url: string; caFile: string; stop: () => Promise<void> } | undefined;

/** Authentik over TLS, with a certificate of a CA of its own. */
async function behindTls(sandbox: Sandbox) {
  if (tls) return tls;
  const { ca, ...proxy } = await startTlsProxy(sandbox.authentik.url);
  const caFile = join(sandbox.directory, "ca.pem");
  writeFileSync(caFile, ca);
  tls = { ...proxy, caFile };
  return tls;
}

function anotherKey(sandbox: Sandbox, name: string): string {
  const file = join(sandbox.directory, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
  return file;
}

/** A zot that says it is of another version. */
function oldZot(sandbox: Sandbox): string {
  const file = join(sandbox.directory, "old-zot");
  writeFileSync(file, `#!/bin/sh\necho '{"level":"info","message":"version","commit":"v2.1.11-0-gabcdef0"}'\n`, {
    mode: 0o755,
  });
  return file;
}

const MISTAKES: Mistake[] = [
  {
    title: "unreachable host",
    spoil: async (settings) => change(host(settings), { port: await freePort() }),
    says: [/cannot be reached \(ECONNREFUSED\)/, /check address, port/],
  },
  {
    title: "wrong host key",
    spoil: (settings, sandbox) =>
      change(host(settings), { hostKey: readFileSync(`${anotherKey(sandbox, "other-host")}.pub`, "utf8").trim() }),
    says: [/does not have the host key that harden-zot:hosts pins/, /ssh-keyscan/],
  },
  {
    title: "wrong SSH key",
    spoil: (settings, sandbox) => change(host(settings), { privateKeyFile: anotherKey(sandbox, "other-client") }),
    says: [/refused the login with the key/, /authorized_keys/],
  },
  {
    title: "an SSH key file that is not there",
    spoil: (settings) => change(host(settings), { privateKeyFile: "/nonexistent/key" }),
    says: [/privateKeyFile = "\/nonexistent\/key" cannot be read \(ENOENT\)/, /SSH agent/],
  },
  {
    title: "zot binary missing",
    spoil: (settings) => change(host(settings), { zot: "/nonexistent/zot" }),
    says: [/there is no zot to run at \/nonexistent\/zot/, /install it there/],
  },
  {
    title: "zot too old",
    spoil: (settings, sandbox) => change(host(settings), { zot: oldZot(sandbox) }),
    says: [/is zot 2\.1\.11, and this configuration needs 2\.1\.20 or newer/, /install a newer zot/],
  },
  {
    title: "a config that zot verify refuses",
    spoil: (settings) => change(registry(settings), { extraConfig: { http: { nonsense: true } } }),
    says: [/zot verify|zot .*refuse/i, /nonsense/],
  },
  {
    title: "a wrong Authentik token",
    spoil: (_, sandbox) => sandbox.stack.withEnvironment({ AUTHENTIK_TOKEN: "wrong-token-of-the-test" }),
    says: [/refused the API token/, /AUTHENTIK_TOKEN/],
  },
  {
    title: "no Authentik token",
    spoil: (_, sandbox) => sandbox.stack.withEnvironment({ AUTHENTIK_TOKEN: "" }),
    says: [/no Authentik API token/, /pulumi config set --secret authentik:token/],
  },
  {
    title: "Authentik down",
    spoil: async (settings) => change(settings as Section, { "authentik:url": `http://127.0.0.1:${await freePort()}` }),
    says: [/Authentik at http:\/\/127\.0\.0\.1:\d+ .*does not answer/, /check the URL/],
  },
  {
    title: "an issuer that names itself otherwise",
    spoil: async (settings, sandbox) =>
      change(settings as Section, {
        "authentik:url": `http://127.0.0.1:${await anotherAddressOf(sandbox.authentik.url)}`,
      }),
    says: [/issuer/, /application\/o\/zot-sandbox-\w+\//],
  },
  {
    title: "an Authentik with a certificate of a CA that nothing names",
    spoil: async (settings, sandbox) =>
      change(settings as Section, { "authentik:url": (await behindTls(sandbox)).url }),
    says: [/has a certificate that is not trusted here \(DEPTH_ZERO_SELF_SIGNED_CERT\)/, /harden-zot:registry\.caFile/],
  },
  {
    title: "an Authentik with a certificate of a CA that caFile alone names",
    spoil: async (settings, sandbox) => {
      change(registry(settings), { caFile: (await behindTls(sandbox)).caFile });
      return change(settings as Section, { "authentik:url": (await behindTls(sandbox)).url });
    },
    says: [/caFile = "\S+" is not for the Terraform provider, which would end in x509/, /SSL_CERT_FILE/],
  },
  {
    title: "an Authentik that is down behind its proxy",
    spoil: async (settings) =>
      change(settings as Section, {
        "authentik:url": `http://127.0.0.1:${await serve((_, answer) => answer.writeHead(502).end())}`,
      }),
    says: [/answered 502 to \/api\/v3\/core\/users\/me\/: Authentik, or the proxy in front of it, is not well/],
  },
  {
    title: "a flow that Authentik does not have",
    spoil: (settings) => change(settings["harden-zot:identity"] as Section, { authorizationFlow: "no-such-flow" }),
    says: [/harden-zot:identity\.authorizationFlow = "no-such-flow": Authentik at \S+ has no such object; correct/],
  },
  {
    title: "a port that is taken",
    spoil: async (settings) =>
      change(registry(settings), {
        listen: { address: "127.0.0.1", port: await serve((_, answer) => answer.writeHead(404).end()) },
      }),
    says: [/port/i, /taken|in use|another/i],
  },
];

describe("bad input, on a hardened registry", () => {
  let sandbox: Sandbox;
  let served: string;

  const liveConfig = () => readFileSync(join(sandbox.host.configDirectory, "config.json"), "utf8");

  beforeAll(async () => {
    sandbox = await startSandbox(() => {});
    const { code, output } = await sandbox.stack.up();
    expect(code, output).toBe(0);
    served = liveConfig();
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await tls?.stop();
    await sandbox?.stop();
  });

  it.each(MISTAKES)("$title: says so, fails, and the registry serves what it served", async ({ spoil, says }) => {
    const settings = sandbox.settings();
    const stack = (await spoil(settings, sandbox)) ?? sandbox.stack;
    stack.configure(settings);
    const { code, output } = await stack.up();
    expect(code, output).not.toBe(0);
    for (const words of says) expect(output).toMatch(words);
    expect(output).not.toMatch(/^\s+at .*\(?.*:\d+:\d+\)?$/m);
    expect(output).not.toContain("wrong-token-of-the-test");
    expect(liveConfig()).toBe(served);
    const { registryUrl: url, existing } = sandbox;
    expect((await pullManifest(url, existing.repository, existing.tag)).status).toBe(200);
    expect((await pushImage(url, "team/app", "v9.9.9-abcdef0", tinyImage("attack"))).status).toBe(401);
  });

  it("an Authentik with a CA of one's own, which this machine trusts too, is as good as any", async () => {
    const { url, caFile } = await behindTls(sandbox);
    const settings = sandbox.settings();
    Object.assign(settings, { "authentik:url": url });
    Object.assign(registry(settings), { caFile });
    sandbox.stack.configure(settings);
    const { code, output } = await sandbox.stack.withEnvironment({ SSL_CERT_FILE: caFile }).preview();
    expect(code, output).toBe(0);
    expect(output).toMatch(/~ .*command:.*update/);
  });

  it("is as good as new with the settings as they were", async () => {
    sandbox.stack.configure(sandbox.settings());
    const { code, output } = await sandbox.stack.up();
    expect(code, output).toBe(0);
    expect(liveConfig()).toBe(served);
  });
});
