import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, waitForHttp } from "../../sandbox/process";
import { ensureDebianPackage } from "../../sandbox/tools";
import { VERIFICATION } from "../../src/verify/checks";
import { runChecks } from "../../src/verify/run";
import { BINARY_NAME, EXISTING, World } from "./world";

/** A rule as docs/verification.md has it. */
function documented(language: string): string {
  const docs = readFileSync(resolve(__dirname, "../../docs/verification.md"), "utf8");
  const block = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(docs)?.[1];
  if (block === undefined) throw new Error(`docs/verification.md has no ${language} rule`);
  return block;
}

/** The rule on loopback: only addresses and certificates differ. */
function nginx(directory: string, port: number, zot: number): [string, string[]] {
  const rule = documented("nginx")
    .replace("listen 443 ssl;", `listen 127.0.0.1:${port};`)
    .replace(/^\s*ssl_.*\n/gm, "")
    .replace("127.0.0.1:5050", `127.0.0.1:${zot}`);
  const own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${directory}/${kind};`,
  );
  const config = `pid ${directory}/pid;\nevents {}\nhttp {\naccess_log off;\n${own.join("\n")}\n${rule}}\n`;
  writeFileSync(join(directory, "nginx.conf"), config);
  const words = ["-e", join(directory, "error.log"), "-c", join(directory, "nginx.conf"), "-g", "daemon off;"];
  return [ensureDebianPackage("nginx", "nginx-light"), words];
}

function caddy(directory: string, port: number, zot: number): [string, string[]] {
  const rule = documented("caddyfile")
    .replace("pull.registry.example.com", `http://127.0.0.1:${port}`)
    .replaceAll("127.0.0.1:5050", `127.0.0.1:${zot}`);
  writeFileSync(join(directory, "Caddyfile"), `{\n  admin off\n}\n${rule}`);
  const words = ["run", "--adapter", "caddyfile", "--config", join(directory, "Caddyfile")];
  return [ensureDebianPackage("caddy", "caddy"), words];
}

describe(`the proxy rule by which docker pulls without a login (${BINARY_NAME})`, () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world?.stop());

  it("is needed: without it docker is told to log in", async () => {
    expect(await dockerCheck(world.proxy.url)).toMatchObject({
      outcome: "warning",
      seen: "401 on /v2/ to docker alone",
    });
  });

  const dockerCheck = async (registry: string) => {
    const checks = VERIFICATION.filter(({ id }) => id === "docker-client");
    return (await runChecks(checks, { ...world.target, registry }))[0];
  };

  describe.each([
    ["nginx", nginx],
    ["Caddy", caddy],
  ])("%s", (_name, configure) => {
    let directory: string;
    let proxy: ChildProcess;
    let url: string;
    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), "docker-rule-"));
      const port = await freePort();
      const [command, words] = configure(directory, port, world.zot.port);
      const env = { ...process.env, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory };
      proxy = spawn(command, words, { stdio: "ignore", env });
      url = `http://127.0.0.1:${port}`;
      await waitForHttp(`${url}/v2/`);
    });
    afterAll(() => {
      proxy?.kill("SIGTERM");
      rmSync(directory, { recursive: true, force: true });
    });

    const agent = "docker/28.0.0 UpstreamClient(Docker-Client/28.0.0)";
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(`${url}${path}`, { ...init, headers: { "user-agent": agent, ...init.headers } });

    it("lets docker pull: 200 on /v2/, the manifest and its blob", async () => {
      expect(await dockerCheck(url)).toMatchObject({ outcome: "ok" });
      expect((await ask("/v2/", { headers: { "user-agent": "Docker-Client/19.03 (linux)" } })).status).toBe(200);
      const manifest = await ask(`/v2/${EXISTING.repository}/manifests/${EXISTING.tag}`);
      expect(manifest.status).toBe(200);
      const { config } = (await manifest.json()) as { config: { digest: string } };
      expect((await ask(`/v2/${EXISTING.repository}/blobs/${config.digest}`)).status).toBe(200);
    });

    it("still looks at credentials where there are some", async () => {
      const wrong = { authorization: `Basic ${Buffer.from("ci-pub:zak_wrong").toString("base64")}` };
      expect((await ask("/v2/", { headers: wrong })).status).toBe(401);
    });

    it("is for pulling alone, whoever asks", async () => {
      const [{ username, apiKey } = { username: "", apiKey: "" }] = world.target.identities;
      const authorization = `Basic ${Buffer.from(`${username}:${apiKey}`).toString("base64")}`;
      const uploads = "/v2/harden-zot/probe/blobs/uploads/";
      expect((await ask(uploads, { method: "POST", headers: { authorization } })).status).toBe(403);
      expect((await ask(uploads, { method: "HEAD" })).status).not.toBe(403);
    });
  });
});
