import { readFileSync } from "node:fs";
import { OperatorError } from "../settings/errors";
import type { HostSettings } from "../settings/hosts";

/**
 * The private key a host's settings name; undefined when the SSH agent is asked instead.
 * @throws OperatorError when there is neither
 */
export function privateKeyOf({ privateKeyFile }: HostSettings): string | undefined {
  if (privateKeyFile === undefined) {
    if (process.env.SSH_AUTH_SOCK) return undefined;
    throw new OperatorError(
      "harden-zot:hosts names no privateKeyFile and there is no SSH agent (SSH_AUTH_SOCK is not set): name a private key file, or start an agent with ssh-add.",
    );
  }
  try {
    return readFileSync(privateKeyFile, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OperatorError(
      `harden-zot:hosts: privateKeyFile = ${JSON.stringify(privateKeyFile)} cannot be read (${code}): name a private key file of this machine, or leave it out to use the SSH agent.`,
    );
  }
}
