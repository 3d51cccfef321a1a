import { OperatorError } from "../operator/error";
import type { SshLogin } from "./private-key";

const HOSTS = "harden-zot:hosts";

/** As ssh2 throws it. */
export type SshError = Error & { level?: string; code?: string };

/**
 * A key file that cannot be used, in the operator's words.
 * @param why as ssh2's parseKey says it
 */
export function refusedKey({ privateKeyFile, passphraseKey, setting = HOSTS }: SshLogin, why: string): OperatorError {
  const file = `${setting}: privateKeyFile = ${JSON.stringify(privateKeyFile)}`;
  if (/no passphrase given/.test(why)) {
    return new OperatorError(
      `${file} is encrypted: set its passphrase with \`pulumi config set --secret harden-zot:sshPassphrase\` and name it with passphraseKey: sshPassphrase, or give the key to the SSH agent with ssh-add and leave privateKeyFile out.`,
    );
  }
  if (/bad passphrase|bad decrypt|integrity check failed/.test(why)) {
    return new OperatorError(
      `${file} does not open with the passphrase in harden-zot:${passphraseKey}: set the right one with \`pulumi config set --secret harden-zot:${passphraseKey}\`.`,
    );
  }
  if (why === "it is not encrypted") {
    return new OperatorError(`${file} is not encrypted: leave passphraseKey out.`);
  }
  return new OperatorError(
    `${file} cannot be used (${why}): name a private key file as ssh-keygen writes it, or leave it out and give the key to the SSH agent with ssh-add.`,
  );
}

/**
 * Why no connection came about, and what to do.
 * @param name of the machine, as errors call it
 * @param keyMatched whether it had the host key that is pinned, as far as it came to that
 */
export function unreachable(to: SshLogin, name: string, error: SshError, keyMatched: boolean): OperatorError {
  const { message, level, code } = error;
  if (!keyMatched || /no matching host key/i.test(message)) {
    return new OperatorError(
      `${name} does not have the host key that ${to.setting ?? HOSTS} pins: another machine answers there, or the host was reinstalled; if you trust it, put what \`ssh-keyscan -t ed25519 ${to.address} | cut -d ' ' -f 2-\` prints into hostKey.`,
    );
  }
  if (level === "agent") {
    return new OperatorError(
      `the SSH agent (SSH_AUTH_SOCK = ${process.env.SSH_AUTH_SOCK}) does not answer (${code ?? message}), so ${name} was not logged in to: start it and ssh-add the key, or set privateKeyFile.`,
    );
  }
  if (level === "client-authentication") {
    const how = to.privateKeyFile ? `the key ${to.privateKeyFile}` : "what the SSH agent (SSH_AUTH_SOCK) offers";
    return new OperatorError(
      `${name} refused the login with ${how}: add the public key to that user's authorized_keys, or set privateKeyFile.`,
    );
  }
  return new OperatorError(
    `${name} cannot be reached (${code ?? message}): check address, port and that sshd runs there.`,
  );
}
