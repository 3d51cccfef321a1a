import { createHash } from "node:crypto";
import { local, remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { renderConfig, serializeConfig } from "../config/render";
import { sessionsOf } from "../config/scale-out";
import { trustedCa } from "../http/ca";
import type { RelyingParty } from "../identity/relying-party";
import { commandLine } from "../operator/command-line";
import type { LoginSettings } from "../settings/hosts";
import { registryOn, type Settings } from "../settings/settings";
import { type Tenure, tenureResource } from "../tenure";
import type { ZotConfig } from "../zot/types";
import { agentCommand, installScript, restartFingerprint, scriptCommand, secretPath, secretsScript } from "./agent";
import { agentText } from "./agent-text";
import type { CatalogRequest } from "./catalog";
import { type HostPlan, REGISTRY_HOST } from "./plan";
import { privateKeyOf } from "./private-key";
import type { HostRequest, TenureRequest } from "./tenure";

export interface RegistryHostArgs {
  /** What is to become of the host. */
  plan: HostPlan;
  settings: Settings;
  /** Issuer the host must be able to reach, byte for byte. */
  issuer: string;
  /** What the issuer knows of the registry: whole before a host is told to trust the issuer. */
  relyingParty: Pick<RelyingParty, "clientSecret"> & pulumi.Resource;
  /** JSON of zot's sessionKeysFile. */
  sessionKeys: pulumi.Input<string>;
  /** Told when one of the commands on this host fails. */
  onFailure?: pulumi.ErrorHook | undefined;
}

/** One host that runs zot: the agent, the secret files, and the transaction that activates a config.json. */
export class RegistryHost extends pulumi.ComponentResource {
  /** Of the config.json that is active. */
  readonly configSha256: pulumi.Output<string>;
  /** Another number than in the last run when what drifted is mended. */
  readonly heal: number;

  private readonly base: Pick<remote.CommandArgs, "connection" | "addPreviousOutputInEnv">;
  /** Of every command: it belongs to this host. */
  private readonly mine: pulumi.CustomResourceOptions;

  constructor(
    readonly name: string,
    private readonly args: RegistryHostArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super(REGISTRY_HOST, name, {}, options);
    this.heal = args.plan.heal;
    this.base = { connection: connectionTo(args.plan.host), addPreviousOutputInEnv: false };
    this.mine = { parent: this, ...(args.onFailure ? { hooks: { onError: [args.onFailure] } } : {}) };
    const before = [options?.dependsOn ?? []].flat() as pulumi.Resource[];
    const agent = this.installAgent(name, before);
    const tenure = this.beginTenure(name, [...before, args.relyingParty]);
    const credentials = args.relyingParty.clientSecret.apply((secret) => this.credentials(secret));
    const secrets = this.putSecrets(name, credentials, agent);
    const config = this.config(credentials, args.sessionKeys);
    const active = this.activate(name, config, tenure, [secrets, args.relyingParty]);
    this.keepCatalog(name, tenure, active);
    this.configSha256 = config.apply((known) => createHash("sha256").update(serializeConfig(known)).digest("hex"));
    this.registerOutputs({ configSha256: this.configSha256 });
  }

  private credentials(clientsecret: string): string {
    return JSON.stringify({ clientid: this.args.settings.identity.clientId, clientsecret });
  }

  /** @param after what must be done first */
  private installAgent(name: string, after: pulumi.Resource[]): remote.Command {
    const { heal, host } = this.args.plan;
    return new remote.Command(
      `${name}-agent`,
      { ...this.base, create: scriptCommand(host, heal), stdin: installScript(agentText()) },
      { ...this.mine, dependsOn: after },
    );
  }

  /**
   * The only resource of a host that is deleted with consequences, so that all others may be replaced at any time: it says
   * farewell, before the issuer that the host trusts is gone.
   */
  private beginTenure(name: string, after: pulumi.Resource[]): pulumi.Output<Tenure> {
    const { host, owner } = this.args.plan;
    const { farewell, takeOver } = host;
    const request: TenureRequest = { ...reached(host), farewell, owner, takeOver };
    const command = new local.Command(
      tenureResource(name),
      {
        create: commandLine("host", "begin"),
        update: commandLine("host", "keep"),
        delete: commandLine("host", "end"),
        stdin: pulumi.secret(JSON.stringify(request)),
        // By what it printed it is told from what replaced it; there is no secret in that.
        addPreviousOutputInEnv: true,
      },
      { ...this.mine, dependsOn: after },
    );
    return command.stdout.apply((line) => JSON.parse(line) as Tenure);
  }

  private putSecrets(name: string, credentials: pulumi.Input<string>, agent: remote.Command): remote.Command {
    const { plan, sessionKeys, settings } = this.args;
    const { heal, host } = plan;
    const sessions = sessionsOf(settings.registry) ? {} : { "session-keys": sessionKeys };
    const contents = pulumi.all({ "oidc-credentials": credentials, ...sessions });
    return new remote.Command(
      `${name}-secrets`,
      {
        ...this.base,
        create: scriptCommand(host, heal),
        stdin: pulumi.secret(contents.apply((known) => secretsScript(host, known))),
        logging: remote.Logging.None,
      },
      { ...this.mine, dependsOn: agent },
    );
  }

  /** The files are named by their content, so a new secret is a new name and the running config keeps its own file. */
  private config(credentials: pulumi.Input<string>, sessionKeys: pulumi.Input<string>): pulumi.Output<ZotConfig> {
    const { issuer, plan, settings } = this.args;
    const { first, host } = plan;
    const registry = registryOn(host, settings.registry);
    const render = (oidc?: string, sessions?: string) =>
      renderConfig(
        { ...settings, registry },
        {
          issuer,
          credentialsFile: secretPath(host, "oidc-credentials", oidc),
          sessionKeysFile: secretPath(host, "session-keys", sessions),
        },
      );
    // The preview before the first hardening: there are no secrets yet, and all the rest can be shown.
    if (pulumi.runtime.isDryRun() && first) return pulumi.output(render());
    return pulumi.unsecret(pulumi.all([credentials, sessionKeys]).apply(([oidc, sessions]) => render(oidc, sessions)));
  }

  private activate(
    name: string,
    config: pulumi.Output<ZotConfig>,
    tenure: pulumi.Output<Tenure>,
    after: pulumi.Resource[],
  ): pulumi.Resource {
    const { plan, settings } = this.args;
    const activation = (known: ZotConfig, { life, owner }: Tenure) =>
      agentCommand(plan.host, "activate", {
        minimum: settings.registry.version,
        restart: restartFingerprint(known),
        heal: plan.heal,
        owner,
        life,
        takeover: plan.host.takeOver,
      });
    const create = pulumi.all([config, tenure]).apply(([known, tenure]) => activation(known, tenure));
    return new remote.Command(
      `${name}-config`,
      { ...this.base, create, stdin: config.apply(serializeConfig) },
      { ...this.mine, dependsOn: after },
    );
  }

  /** After a first hardening; at any other time there is nothing to look for. Whoever waits for the host waits for it. */
  private keepCatalog(name: string, tenure: pulumi.Output<Tenure>, active: pulumi.Resource): void {
    const { plan, settings } = this.args;
    const request = tenure.apply(({ owner, life }): CatalogRequest => {
      return { ...reached(plan.host), owner, life, ...outside(settings), heal: plan.heal };
    });
    new local.Command(
      `${name}-catalog`,
      {
        create: commandLine("host", "catalog"),
        stdin: pulumi.secret(request.apply((known) => JSON.stringify(known))),
        addPreviousOutputInEnv: false,
      },
      { ...this.mine, dependsOn: active },
    );
  }
}

const outside = ({ registry }: Settings) => ({ registry: registry.externalUrl, ca: trustedCa(registry) });

/** How a program of bin/ reaches the host. */
function reached(host: HostPlan["host"]): HostRequest {
  const { configDirectory, jump, service, sudo, zot } = host;
  return { ...login(host), ...(jump ? { jump: login(jump) } : {}), configDirectory, service, sudo, zot };
}

/** With the key itself, since the farewell may be said from another machine. */
function login(to: LoginSettings): LoginSettings & Pick<TenureRequest, "key"> {
  const { address, port, user, hostKey } = to;
  return { address, port, user, hostKey, key: privateKeyOf(to) };
}

/** Both ends of a connection that is led through a jump host are pinned. */
function connectionTo(host: HostPlan["host"]): remote.CommandArgs["connection"] {
  return { ...endpoint(host), ...(host.jump ? { proxy: endpoint(host.jump) } : {}) };
}

function endpoint(to: LoginSettings) {
  const key = privateKeyOf(to);
  return {
    host: to.address,
    port: to.port,
    user: to.user,
    hostKey: to.hostKey,
    ...(key && { privateKey: pulumi.secret(key.text) }),
    ...(key?.passphrase && { privateKeyPassword: pulumi.secret(key.passphrase) }),
    dialErrorLimit: 2,
    perDialTimeout: 10,
  };
}
