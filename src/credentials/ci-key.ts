import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { CiAccount } from "../identity/ci-account";
import type { CiLoginFlow } from "../identity/ci-login-flow";
import type { CiIdentity } from "../settings/access";
import type { RegistrySettings } from "../settings/registry";
import { trustedCa } from "./ca";
import { type HandOver, registryHost } from "./handover";
import { keyResource } from "./held-keys";
import type { Kept, MintedKey, MintRequest, RetireRequest, RevokeRequest } from "./key-program";
import { publishKey } from "./publish/resource";
import { ownerLabel, type Rotation } from "./rotation";

export interface CiKeyArgs {
  identity: CiIdentity;
  registry: RegistrySettings;
  account: CiAccount;
  loginFlow: CiLoginFlow;
  rotation: Rotation;
}

const PROGRAM = "node --require ./loader.js src/credentials/main.ts";

/**
 * The API key of one CI identity. A rotation is an update in place: a key is made and proved, handed over, and only then
 * those before the last one are revoked. Removal revokes every key of it, while its account still exists.
 */
export class CiKey extends pulumi.ComponentResource {
  /** Secret. */
  readonly handOver: pulumi.Output<HandOver>;
  private readonly minted: pulumi.Output<MintedKey>;

  constructor(
    readonly name: string,
    private readonly args: CiKeyArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("harden-zot:credentials:CiKey", name, {}, options);
    const login = keyLogin(args);
    const key = this.mint(login);
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

  private mint(login: pulumi.Output<RevokeRequest>): local.Command {
    const { group, key, name } = this.args.identity;
    const { expiresAfter, rotate } = key;
    const { period } = this.args.rotation;
    const request = login.apply(
      (login): MintRequest => ({ ...login, period, expiresAfter, group, ...(rotate ? { rotate } : {}) }),
    );
    return new local.Command(
      keyResource(name),
      {
        create: `${PROGRAM} mint`,
        delete: `${PROGRAM} revoke`,
        stdin: pulumi.jsonStringify(request),
        logging: local.Logging.None,
        addPreviousOutputInEnv: false,
      },
      { parent: this, additionalSecretOutputs: ["stdout"] },
    );
  }

  private retire(login: pulumi.Output<RevokeRequest>, published: pulumi.Resource[]): void {
    const { key, name } = this.args.identity;
    const next = pulumi.all([login, this.minted]).apply(([login, { superseded, uuid: current }]) => {
      // Without others there is nothing to do but to note down which key is current.
      if (superseded.length === 0) return { create: "cat", request: { current } satisfies Kept };
      const request: RetireRequest = { ...login, current, keepPrevious: key.keepPrevious };
      return { create: `${PROGRAM} retire`, request };
    });
    new local.Command(
      `${name}-retired-keys`,
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
function keyLogin({ account, identity, loginFlow, registry }: CiKeyArgs): pulumi.Output<RevokeRequest> {
  const ca = trustedCa(registry);
  return pulumi.secret(
    pulumi.all([account.username, account.appPassword]).apply(([username, password]) => ({
      registryUrl: registry.externalUrl,
      username,
      password,
      flowSlug: loginFlow.slug,
      owner: ownerLabel(pulumi.getStack(), identity.name),
      ...(ca ? { ca } : {}),
    })),
  );
}
