import type * as Pulumi from "@pulumi/pulumi";
import { OperatorError } from "../operator/error";

/** The SDK's own word for a secret is not in its types (@pulumi/pulumi 3.270). */
type Runtime = typeof Pulumi.runtime & { isConfigSecret: (key: string) => boolean };

/** Loaded for a secret alone: it is most of the start of a command that only logs in. */
export const runtime = () => require("@pulumi/pulumi").runtime as Runtime;

/**
 * A secret of the stack's settings, undefined where it has none.
 * @param key with its namespace
 * @param what it is, in words
 * @param change what is to be done with one that others may have read
 * @throws OperatorError for one in plain: the stack file gives it away
 */
export function secretSetting(key: string, what: string, change: string): string | undefined {
  const secret = runtime().getConfig(key);
  if (secret === undefined || secret === "" || runtime().isConfigSecret(key)) return secret || undefined;
  throw new OperatorError(
    `${key} is ${what} and lies in the stack file in plain: ${change}, and set the new one with \`pulumi config set --secret ${key}\`.`,
  );
}
