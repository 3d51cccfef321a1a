import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { RelyingParty } from "../identity/relying-party";
import type { HostSettings, LoginSettings } from "../settings/hosts";
import { registryOn, type Settings } from "../settings/settings";
import { renderConfig, serializeConfig } from "../zot/config";
import { sessionsOf } from "../zot/scale-out";
import { agentCommand, installScript, restartFingerprint, scriptCommand, secretPath, secretsScript } from "./agent";
import type { Observation } from "./observe";
import { privateKeyOf } from "./private-key";

export interface RegistryHostArgs {
  host: HostSettings;
  settings: Settings;
  /** What the host said of itself before this run. */
  observed: Observation;
  /** Issuer the host must be able to reach, byte for byte. */
  issuer: string;
  /** What the issuer knows of the registry: whole before a host is told to trust the issuer. */
  relyingParty: Pick<RelyingParty, "clientSecret"> & pulumi.Resource;
  /** JSON of zot's sessionKeysFile. */
  sessionKeys: pulumi.Input<string>;
  /** Told when one of the commands on this host fails. */
  onFailure?: pulumi.ErrorHook | undefined;
}

const AGENT = resolve(__dirname, "agent.sh");

/** One host that runs zot: the agent, the secret files, and the transaction that activates a config.json. */
export class RegistryHost extends pulumi.ComponentResource {
  /** Of the config.json that is active. */
  readonly configSha256: pulumi.Output<string>;

  /**
   * What drifted is healed by doing the same once more; the run after finds the raised count on record. A host without
   * an agent, new or reinstalled, starts from a count that no run before can have had.
   */
  private readonly heal: number;
  private readonly base: Pick<remote.CommandArgs, "connection" | "addPreviousOutputInEnv">;
  /** Of every command: it belongs to this host. */
  private readonly mine: pulumi.CustomResourceOptions;

  constructor(
    readonly name: string,
    private readonly args: RegistryHostArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("harden-zot:host:RegistryHost", name, {}, options);
    const { observed } = args;
    this.heal = observed ? observed.heal + (observed.drift.length > 0 ? 1 : 0) : Math.floor(Date.now() / 1000);
    this.base = { connection: connectionTo(args.host), addPreviousOutputInEnv: false };
    this.mine = { parent: this, ...(args.onFailure ? { hooks: { onError: [args.onFailure] } } : {}) };
    const agent = this.installAgent(name, options?.dependsOn);
    const credentials = args.relyingParty.clientSecret.apply((secret) => this.credentials(secret));
    const secrets = this.putSecrets(name, credentials, agent);
    const config = this.config(credentials, args.sessionKeys);
    this.activate(name, config, secrets);
    this.configSha256 = config.apply((text) => createHash("sha256").update(text).digest("hex"));
    this.registerOutputs({ configSha256: this.configSha256 });
  }

  private credentials(clientsecret: string): string {
    return JSON.stringify({ clientid: this.args.settings.identity.clientId, clientsecret });
  }

  /** @param after what must be done first; the component alone would hold back the creation, and not the deletion */
  private installAgent(name: string, after: pulumi.ComponentResourceOptions["dependsOn"]): remote.Command {
    const { host } = this.args;
    return new remote.Command(
      `${name}-agent`,
      {
        ...this.base,
        create: scriptCommand(host, this.heal),
        stdin: installScript(readFileSync(AGENT, "utf8")),
        delete: agentCommand(host, "uninstall"),
      },
      { ...this.mine, ...(after ? { dependsOn: after } : {}) },
    );
  }

  private putSecrets(name: string, credentials: pulumi.Input<string>, agent: remote.Command): remote.Command {
    const { host, sessionKeys, settings } = this.args;
    const sessions = sessionsOf(settings.registry) ? {} : { "session-keys": sessionKeys };
    const contents = pulumi.all({ "oidc-credentials": credentials, ...sessions });
    return new remote.Command(
      `${name}-secrets`,
      {
        ...this.base,
        create: scriptCommand(host, this.heal),
        stdin: pulumi.secret(contents.apply((known) => secretsScript(host, known))),
        logging: remote.Logging.None,
      },
      { ...this.mine, dependsOn: agent },
    );
  }

  /** The files are named by their content, so a new secret is a new name and the running config keeps its own file. */
  private config(credentials: pulumi.Input<string>, sessionKeys: pulumi.Input<string>): pulumi.Output<string> {
    const { host, observed, issuer, settings } = this.args;
    const registry = registryOn(host, settings.registry);
    const render = (oidc?: string, sessions?: string) =>
      serializeConfig(
        renderConfig(
          { ...settings, registry },
          {
            issuer,
            credentialsFile: secretPath(host, "oidc-credentials", oidc),
            sessionKeysFile: secretPath(host, "session-keys", sessions),
          },
        ),
      );
    // The preview before the first hardening: there are no secrets yet, and all the rest can be shown.
    if (pulumi.runtime.isDryRun() && observed === undefined) return pulumi.output(render());
    return pulumi.unsecret(pulumi.all([credentials, sessionKeys]).apply(([oidc, sessions]) => render(oidc, sessions)));
  }

  private activate(name: string, config: pulumi.Output<string>, secrets: remote.Command): void {
    const { host, relyingParty, settings } = this.args;
    const activation = (text: string) =>
      agentCommand(host, "activate", {
        minimum: settings.registry.version,
        restart: restartFingerprint(JSON.parse(text)),
        heal: this.heal,
      });
    new remote.Command(
      `${name}-config`,
      { ...this.base, create: config.apply(activation), stdin: config, delete: agentCommand(host, "restore") },
      { ...this.mine, dependsOn: [secrets, relyingParty] },
    );
  }
}

/** Both ends of a connection that is led through a jump host are pinned. */
function connectionTo(host: HostSettings): remote.CommandArgs["connection"] {
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
