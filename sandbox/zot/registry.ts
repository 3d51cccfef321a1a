import { type Authorizer, createAuthorizer, type Identity } from "../../src/zot/authorizer";
import type { ZotConfig } from "../../src/zot/types";
import type { LoadedConfig } from "./config/loaded";
import { authenticates, hasOpenId } from "./config/validate";
import { Htpasswd } from "./identity/htpasswd";
import { RelyingParty } from "./identity/relying-party";
import { Sessions } from "./identity/sessions";
import { Users } from "./identity/users";
import type { Logger } from "./log";
import { Metrics } from "./metrics";
import { Layout } from "./storage/layout";
import { Manifests } from "./storage/manifests";
import { Uploads } from "./storage/uploads";
import { OnDemandSync } from "./sync";

/** What a start settles and no reload changes: routes and stores exist or they do not. */
export interface Started {
  /** accessControl was there, so the authorization middleware is. */
  authorization: boolean;
  apiKeys: boolean;
  openId: boolean;
  logout: boolean;
  search: boolean;
  ui: boolean;
  metricsPath: string | undefined;
}

/** One running registry: its live configuration and everything requests work on. */
export class Registry {
  readonly started: Started;
  readonly layout: Layout;
  readonly manifests: Manifests;
  readonly uploads: Uploads;
  readonly htpasswd: Htpasswd;
  readonly sync: OnDemandSync;
  readonly metrics = new Metrics();
  /** Undefined without any authentication at start; requests that need it then fail with 500, as zot's do. */
  readonly users: Users | undefined;
  readonly sessions: Sessions | undefined;
  readonly relyingParties = new Map<string, RelyingParty>();
  private compiled: Authorizer | undefined;

  constructor(
    /** Live: a reload writes the reloadable keys into it. */
    readonly config: LoadedConfig,
    readonly logger: Logger,
  ) {
    const { auth, accessControl } = config.http;
    const identities = authenticates(config);
    const search = Boolean(config.extensions?.search?.enable);
    const rootDirectory = config.storage.rootDirectory;
    this.started = {
      authorization: accessControl !== undefined,
      apiKeys: Boolean(auth.apikey),
      openId: hasOpenId(auth),
      logout: identities,
      search,
      ui: Boolean(config.extensions?.ui?.enable),
      metricsPath: config.extensions?.metrics?.enable ? config.extensions.metrics.prometheus?.path : undefined,
    };
    this.layout = new Layout(rootDirectory, () => config.storage.dedupe);
    this.manifests = new Manifests(this.layout, config.http.compat ?? []);
    this.uploads = new Uploads(this.layout);
    this.sync = new OnDemandSync(this);
    this.htpasswd = new Htpasswd(logger);
    this.users = identities || search ? new Users(rootDirectory) : undefined;
    this.sessions = identities ? this.openSessions(rootDirectory) : undefined;
  }

  private openSessions(rootDirectory: string): Sessions {
    const { hashKey, encryptKey } = this.config.sessionKeys ?? {};
    if (!hashKey) this.logger.warn("hashKey is not set in config, generating a random one");
    return new Sessions({ rootDirectory, hashKey, encryptKey });
  }

  /** Reads every issuer's discovery document. Throws DiscoveryFailed. */
  async connectIssuers(): Promise<void> {
    if (!this.sessions) return;
    for (const [name, provider] of Object.entries(this.config.http.auth.openid?.providers ?? {})) {
      if (name !== "github") {
        this.relyingParties.set(name, await RelyingParty.discover(name, provider, this.origin(), this.sessions));
      }
    }
  }

  /** Where browsers reach the registry: externalUrl, else the address it listens on; no trailing slash. */
  origin(): string {
    const { externalUrl, tls, address, port } = this.config.http;
    return externalUrl?.replace(/\/$/, "") || `${tls ? "https" : "http"}://${address}:${port}`;
  }

  /** Decisions under the live configuration. */
  authorizer(): Authorizer {
    this.compiled ??= createAuthorizer(this.config as unknown as ZotConfig);
    return this.compiled;
  }

  /** Whether the identity may read some of a repository; nobody is asked if zot was started without accessControl. */
  mayRead(identity: Identity, repository: string): boolean {
    return (
      !this.started.authorization ||
      (this.config.http.accessControl !== undefined && this.authorizer().readable(identity, repository))
    );
  }

  /** The live configuration changed. */
  configurationChanged(): void {
    this.compiled = undefined;
  }

  close(): void {
    this.htpasswd.close();
    this.users?.save();
  }
}
