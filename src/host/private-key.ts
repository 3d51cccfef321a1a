import { readFileSync } from "node:fs";
import { OperatorError } from "../settings/errors";

/** Where and as whom SSH logs in, and which key the host must have. */
export interface SshLogin {
  address: string;
  port: number;
  user: string;
  /** "ssh-ed25519 AAAA..." */
  hostKey: string;
  /** Default: the SSH agent is asked. */
  privateKeyFile?: string | undefined;
  /** The setting that says all this, for errors. Default: harden-zot:hosts. */
  setting?: string;
}

/**
 * The private key that the settings name; undefined when the SSH agent is asked instead.
 * @throws OperatorError when there is neither
 */
export function privateKeyOf({
  privateKeyFile,
  setting = "harden-zot:hosts",
}: Pick<SshLogin, "privateKeyFile" | "setting">): string | undefined {
  if (privateKeyFile === undefined) {
    if (process.env.SSH_AUTH_SOCK) return undefined;
    throw new OperatorError(
      `${setting} names no privateKeyFile and there is no SSH agent (SSH_AUTH_SOCK is not set): name a private key file, or start an agent with ssh-add.`,
    );
  }
  try {
    return readFileSync(privateKeyFile, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OperatorError(
      `${setting}: privateKeyFile = ${JSON.stringify(privateKeyFile)} cannot be read (${code}): name a private key file of this machine, or leave it out to use the SSH agent.`,
    );
  }
}
