import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { trustedCa } from "../http/ca";
import type { CiAccount } from "../identity/ci-account";
import type { CiLoginFlow } from "../identity/ci-login-flow";
import { commandLine } from "../operator/command-line";
import type { CiIdentity } from "../settings/access";
import type { RegistrySettings } from "../settings/registry";
import { tenureResource } from "../tenure";
import { type HandOver, registryHost } from "./handover";
import { CI_KEY, type KeyPlan, keyResource, retiredKeysResource } from "./held-keys";
import type { Kept, KeyLogin, MintedKey, MintRequest, RetireRequest } from "./key-requests";
import { inheritance, type KeyTenure, labelsOfOwner, nextLabel } from "./labels";
import { publishKey } from "./publish/resource";

export interface CiKeyArgs {
  identity: CiIdentity;
  registry: RegistrySettings;
  /** authentik:url */
  issuer: string;
  account: CiAccount;
  loginFlow: CiLoginFlow;
  plan: KeyPlan;
}

/**
 * The API key of one CI identity. A rotation is an update in place: a key is made and proved, handed over, and only then
 * those before the last one are revoked. The tenure is what says farewell: where it is removed, the keys made under it are
 * revoked, while their account still exists.
 */
export class CiKey extends pulumi.ComponentResource {
  /** Secret. */
  readonly handOver: pulumi.Output<HandOver>;
  /** What the labels of its keys begin with. */
  readonly labels: pulumi.Output<string[]>;
  private readonly tenure: pulumi.Output<KeyTenure>;
  private readonly minted: pulumi.Output<MintedKey>;

  constructor(
    readonly name: string,
    private readonly args: CiKeyArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super(CI_KEY, name, {}, options);
    const login = keyLogin(args);
    const tenure = this.beginTenure(login);
    this.tenure = tenure.stdout.apply((line) => JSON.parse(line) as KeyTenure);
    this.labels = this.tenure.apply((tenure) => labelsOfOwner(tenure, args.identity.name));
    const key = this.mint(login, tenure);
    this.minted = pulumi.secret(key.stdout.apply((line) => JSON.parse(line) as MintedKey));
    this.handOver = this.minted.apply(({ apiKey, expiresAt }) => ({
      registry: registryHost(args.registry.externalUrl),
      username: args.identity.name,
      apiKey,
      expiresAt,
    }));
    // Whoever uses the key before has the new one by the time that older ones go.
    this.retire(login, publishKey(name, args.identity.publish, this.handOver, { parent: this }));
    this.registerOutputs({});
  }

  private beginTenure(login: pulumi.Output<KeyLogin>): local.Command {
    const { owner, past } = this.args.plan;
    const request = login.apply((login) => ({ ...login, owner, ...inheritance(past) }));
    return new local.Command(
      tenureResource(this.args.identity.name),
      {
        create: commandLine("key", "begin"),
        update: commandLine("key", "keep"),
        delete: commandLine("key", "end"),
        stdin: pulumi.jsonStringify(request),
        // What it leaves alone; a tenure itself is nobody's to read.
        logging: local.Logging.Stderr,
        // Deleted, it is told which life was its own. No secret is in that.
        addPreviousOutputInEnv: true,
      },
      { parent: this },
    );
  }

  private mint(login: pulumi.Output<KeyLogin>, tenure: local.Command): local.Command {
    const { group, key, name } = this.args.identity;
    const { expiresAfter, rotate } = key;
    const { past, rotation } = this.args.plan;
    const { period } = rotation;
    // One that was made without it is not made anew for it.
    const isOlder = past.held !== undefined && past.held.issuer === undefined && past.held.period === period;
    const request = pulumi.all([login, this.label()]).apply(
      // In the order of old states: another text of the same would ask for another key.
      ([{ ca, issuer, ...login }, owner]): MintRequest => ({
        ...login,
        ...(issuer && !isOlder ? { issuer } : {}),
        owner,
        ...(ca ? { ca } : {}),
        period,
        expiresAfter,
        group,
        ...(rotate ? { rotate } : {}),
      }),
    );
    return new local.Command(
      keyResource(name),
      {
        create: commandLine("key", "mint"),
        stdin: pulumi.jsonStringify(request),
        logging: local.Logging.None,
        addPreviousOutputInEnv: false,
      },
      {
        parent: this,
        dependsOn: tenure,
        additionalSecretOutputs: ["stdout"],
        // Old states have others (./main.ts), and a change would have the key made again.
        ignoreChanges: ["create", "delete"],
      },
    );
  }

  /** An inherited one is known before its tenure is, so that a preview shows no other key. */
  private label(): pulumi.Output<string> {
    const { identity, plan } = this.args;
    const { inherited } = inheritance(plan.past);
    if (inherited !== undefined && !plan.past.tenure) return pulumi.output(inherited);
    return this.tenure.apply((tenure) => nextLabel(tenure, identity.name, plan.past));
  }

  private retire(login: pulumi.Output<KeyLogin>, published: pulumi.Resource[]): void {
    const { key, name } = this.args.identity;
    const next = pulumi
      .all([login, this.minted, this.tenure, this.labels])
      .apply(([login, { superseded, uuid: current }, { life }, labels]) => {
        // Without others there is nothing to do but to note down which key is current.
        if (superseded.length === 0) return { create: "cat", request: { current, life } satisfies Kept };
        const request: RetireRequest = { ...login, labels, life, current, keepPrevious: key.keepPrevious };
        return { create: commandLine("key", "retire"), request };
      });
    new local.Command(
      retiredKeysResource(name),
      {
        create: pulumi.unsecret(next.create),
        stdin: pulumi.jsonStringify(next.request),
        logging: local.Logging.None,
        // It is told what it said last time: which key was current until now. No secret is in that.
        addPreviousOutputInEnv: true,
      },
      { parent: this, dependsOn: published },
    );
  }
}

/** As a secret. */
function keyLogin({ account, issuer, loginFlow, registry }: CiKeyArgs): pulumi.Output<KeyLogin> {
  const ca = trustedCa(registry);
  return pulumi.secret(
    pulumi.all([account.username, account.appPassword]).apply(([username, password]) => ({
      registryUrl: registry.externalUrl,
      username,
      password,
      issuer,
      flowSlug: loginFlow.slug,
      ...(ca ? { ca } : {}),
    })),
  );
}
