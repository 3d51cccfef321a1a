import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { OperatorError } from "../operator/error";
import type { HostSettings, LoginSettings } from "../settings/hosts";
import { runtime, secretSetting } from "../settings/secret";

/** Where and as whom SSH logs in, with which key, and which key the machine must have. */
export interface SshLogin extends LoginSettings {
  /** The setting that says all this, for errors. Default: harden-zot:hosts. */
  setting?: string;
  /** Instead of privateKeyFile, where the file's content is at hand. */
  key?: PrivateKey | undefined;
}

export interface PrivateKey {
  /** Content of the key file. */
  text: string;
  /** Opens it, when it is encrypted. */
  passphrase?: string | undefined;
}

/**
 * The private key a machine's settings name; undefined when the SSH agent is asked instead.
 * @throws OperatorError when there is neither, or no passphrase where one is named
 */
export function privateKeyOf({
  key,
  privateKeyFile,
  passphraseKey,
  setting = "harden-zot:hosts",
}: SshLogin): PrivateKey | undefined {
  if (key) return key;
  if (privateKeyFile === undefined) {
    if (process.env.SSH_AUTH_SOCK) return undefined;
    throw new OperatorError(
      `${setting} names no privateKeyFile and there is no SSH agent (SSH_AUTH_SOCK is not set): name a private key file, or start an agent with ssh-add.`,
    );
  }
  const passphrase = passphraseKey && passphraseIn(`harden-zot:${passphraseKey}`, setting);
  return { text: read(privateKeyFile, setting), passphrase };
}

/** `~/` is the home directory, as a shell has it. */
function read(privateKeyFile: string, setting: string): string {
  try {
    return readFileSync(privateKeyFile.replace(/^~(?=\/)/, homedir()), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OperatorError(
      `${setting}: privateKeyFile = ${JSON.stringify(privateKeyFile)} cannot be read (${code}): name a private key file of this machine, or leave it out to use the SSH agent.`,
    );
  }
}

function passphraseIn(key: string, setting: string): string {
  const passphrase = secretSetting(key, "a passphrase", "change the passphrase of the key");
  if (passphrase) return passphrase;
  throw new OperatorError(
    `${setting} names ${key} as a passphrase, and this stack has no such value: set it with \`pulumi config set --secret ${key}\`.`,
  );
}

/**
 * For a command that Pulumi does not run: has the passphrases of these hosts decrypted by `pulumi config get`.
 * @throws OperatorError when it cannot
 */
export function decryptPassphrases(stack: string, hosts: HostSettings[]): void {
  const names = hosts
    .flatMap((host) => [host.passphraseKey, host.jump?.passphraseKey])
    .filter((name) => name !== undefined);
  const keys = [...new Set(names)].map((name) => `harden-zot:${name}`);
  runtime().setAllConfig(Object.fromEntries(keys.map((key) => [key, decrypt(stack, key)])), keys);
}

function decrypt(stack: string, key: string): string {
  try {
    const words = ["config", "get", key, "--stack", stack, "--non-interactive"];
    return execFileSync("pulumi", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trimEnd();
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    throw new OperatorError(
      `\`pulumi config get ${key} --stack ${stack}\`, for the passphrase of an SSH key, failed: ${stderr?.trim() || code}.`,
    );
  }
}
