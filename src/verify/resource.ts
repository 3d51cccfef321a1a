import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/settings";
import { targetOf } from "./target";

export interface VerifiedStack {
  oidcIssuer: string;
  redirectUri: string;
  /** sha256 of every host's active config.json. */
  configSha256: pulumi.Input<string>[];
  /** Secret: a key of every CI identity. */
  keys: pulumi.Output<{ username: string; apiKey: string; expiresAt: string }>[];
  /** What the labels of an identity's own keys begin with. */
  keyLabels: (identity: string) => string;
  /** PEM of certificate authorities to trust beside the usual ones. */
  ca?: string;
}

/**
 * The last resource of an `up`: the verification of the running registry, again whenever a configuration or a key has
 * changed. One check that fails fails the `up`, which then shows the table; the next `up` runs it again.
 */
export function verifyRegistry(
  settings: Settings,
  { configSha256, keys, keyLabels, ca, ...login }: VerifiedStack,
  options?: pulumi.CustomResourceOptions,
): local.Command {
  const request = pulumi.all([pulumi.all(keys), pulumi.all(configSha256)]).apply(([held, changed]) => {
    const byUser = Object.fromEntries(held.map((key) => [key.username, key]));
    const target = targetOf(
      settings,
      { ...login, ci: byUser, ciSecrets: byUser },
      { keyLabels, ...(ca ? { ca } : {}) },
    );
    // What it was verified with is not read there: it makes the input another one, and so the command run again.
    return JSON.stringify({ ...target, changed });
  });
  return new local.Command(
    "verification",
    {
      create: "node --require ./loader.js src/verify/command.ts --stdin",
      stdin: pulumi.secret(request),
      addPreviousOutputInEnv: false,
    },
    options,
  );
}
