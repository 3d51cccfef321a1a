import { join } from "node:path";
import { pushImage } from "../../sandbox/distribution";
import { type Daemon, stopDaemon } from "../../sandbox/process";
import { UNUSED_HOST } from "../../sandbox/unused-host";
import { startUpstream, UPSTREAM_IMAGE } from "../../sandbox/upstream";
import { renderConfig } from "../../src/config/render";
import { login } from "../../src/credentials/login";
import { parseSettings, type RawSettings, type Settings } from "../../src/settings/settings";
import { tinyImage } from "../../src/verify/image";
import { type Target, targetOf } from "../../src/verify/target";
import type { AccessControl, ZotConfig } from "../../src/zot/types";
import { BINARIES, Scratch, Zot } from "../contract/zot-harness";
import { Issuer } from "../contract/zot-issuer";
import { LyingProxy } from "./lying-proxy";

/** The real zot where ZOT names one, else the stand-in. */
const [name, BINARY] = BINARIES.at(-1) as [string, string];
export const BINARY_NAME = name;

export const EXISTING = { repository: "team/app", tag: "v1.0.0-abcdef0" };
const CACHED = { repository: `docker.io/${UPSTREAM_IMAGE.repository}`, tag: UPSTREAM_IMAGE.tag };
const DAY = 86_400_000;

const IDENTITIES = [
  { name: "ci-pub", group: "publishers", repositories: ["team/**"] },
  { name: "ci-main", group: "maintainers", repositories: ["tools/**"], role: "maintainer" },
];

function settingsFor(url: string, upstream: string, version: string): Settings {
  return parseSettings({
    "authentik:url": "https://authentik.test",
    "harden-zot:registry": {
      externalUrl: url,
      version,
      listen: { address: "127.0.0.1", port: 5000 },
      storage: { rootDirectory: "/none", dedupe: false, gc: false },
      pullThrough: [{ name: "docker.io", url: upstream, tlsVerify: false }],
      metrics: "anonymous",
      search: {},
    },
    "harden-zot:hosts": [UNUSED_HOST],
    "harden-zot:identity": {},
    "harden-zot:access": {
      admins: { group: "admins" },
      private: ["secret/**"],
      tags: { mutable: ["main", "latest"], format: "^v\\d+\\.\\d+\\.\\d+-[0-9a-f]{7}(-nix)?$" },
    },
    "harden-zot:ci": IDENTITIES,
  } as RawSettings);
}

/** A hardened registry behind a proxy with TLS, an issuer and an upstream, and a target with real keys. */
export class World {
  target!: Target;

  private constructor(
    readonly scratch: Scratch,
    readonly proxy: LyingProxy,
    readonly issuer: Issuer,
    private readonly upstream: { url: string; daemon: Daemon },
    readonly zot: Zot,
    readonly settings: Settings,
    readonly config: ZotConfig,
  ) {}

  static async start(): Promise<World> {
    const [proxy, issuer] = await Promise.all([LyingProxy.start(), new Issuer().start()]);
    const scratch = new Scratch();
    const upstream = await startUpstream(BINARY, join(scratch.path, "upstream"));
    const settings = settingsFor(proxy.url, upstream.url, "2.1.20");
    const config = renderConfig(settings, {
      issuer: issuer.url,
      credentialsFile: scratch.write("credentials.json", '{"clientid":"zot","clientsecret":"s3cret"}'),
      sessionKeysFile: scratch.write("session-keys.json", `{"hashKey":"${"k".repeat(32)}"}`),
    });
    const zot = new Zot(BINARY, scratch, ownPort(config));
    const world = new World(scratch, proxy, issuer, upstream, zot, settings, config);
    try {
      await zot.start();
      proxy.forwardTo(zot.port);
      await world.fill();
      world.target = await world.makeTarget();
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  /** The rendered configuration, changed; access rules are taken up by a reload. */
  async reload(change: (config: ZotConfig & { http: { accessControl: AccessControl } }) => void): Promise<void> {
    await this.zot.reload(ownPort(this.changed(change)));
  }

  async restart(change: (config: ZotConfig & { http: { accessControl: AccessControl } }) => void): Promise<void> {
    await this.zot.stop();
    this.zot.overwrite(ownPort(this.changed(change)));
    await this.zot.start();
  }

  private changed(change: (config: ZotConfig & { http: { accessControl: AccessControl } }) => void): ZotConfig {
    const config = structuredClone(this.config) as ZotConfig & { http: { accessControl: AccessControl } };
    change(config);
    return config;
  }

  /** A session of an account, as Authentik would hand it out. */
  async session(username: string, group: string) {
    this.issuer.person = { userinfo: { preferred_username: username, groups: [group] } };
    return login({ registryUrl: this.proxy.url, username, password: "not asked", ca: this.proxy.ca });
  }

  async mint(username: string, group: string, label: string): Promise<{ apiKey: string; uuid: string }> {
    const session = await this.session(username, group);
    const expirationDate = new Date(Date.now() + 80 * DAY).toISOString();
    const answer = await session.fetch("/zot/auth/apikey", {
      method: "POST",
      body: JSON.stringify({ label, scopes: [], expirationDate }),
    });
    if (answer.status !== 201) throw new Error(`no key for ${username}: ${answer.status}`);
    return answer.json() as Promise<{ apiKey: string; uuid: string }>;
  }

  async stop(): Promise<void> {
    await this.zot.stop();
    await stopDaemon(this.upstream.daemon);
    await this.issuer.stop();
    await this.proxy.stop();
    this.scratch.remove();
  }

  private async fill(): Promise<void> {
    await this.restart((config) => {
      // Somebody has to have pushed what is there before anybody has a key.
      Object.assign(config.http.accessControl.repositories?.["team/**"] ?? {}, { anonymousPolicy: ["read", "create"] });
    });
    const { status } = await pushImage(this.zot.url, EXISTING.repository, EXISTING.tag, tinyImage("existing"));
    if (status !== 201) throw new Error(`the registry to be tried takes no image: ${status}`);
    await this.restart(() => {});
  }

  private async makeTarget(): Promise<Target> {
    const keys = [];
    for (const { name, group } of IDENTITIES)
      keys.push([name, await this.mint(name, group, `stack ${name} #1`)] as const);
    const expiresAt = new Date(Date.now() + 80 * DAY).toISOString();
    const outputs = {
      oidcIssuer: this.issuer.url,
      redirectUri: `${this.proxy.url}/zot/auth/callback/oidc`,
      ci: Object.fromEntries(
        keys.map(([name]) => [name, { username: name, expiresAt, keyLabels: [`stack ${name} #`] }]),
      ),
      ciSecrets: Object.fromEntries(keys),
    };
    return {
      ...targetOf(this.settings, outputs, { ca: this.proxy.ca }),
      existing: EXISTING,
      cached: { "docker.io": CACHED },
    };
  }
}

/** The harness gives it a directory and a port. */
function ownPort({ storage, http, ...rest }: ZotConfig) {
  const { rootDirectory: _, ...kept } = storage;
  const { port: __, address: ___, ...own } = http;
  return { ...rest, storage: kept, http: own };
}
