import type { Client, ConnectConfig } from "ssh2";
import { OperatorError } from "../settings/errors";
import type { HostSettings } from "../settings/hosts";
import { privateKeyOf, type SshLogin } from "./private-key";

/** Time for the TCP connection and the SSH handshake together, in ms. */
const READY_TIMEOUT = 10_000;

export interface Output {
  /** Of the command; 255, as of ssh itself, when the connection was lost before it ended. */
  code: number;
  stdout: string;
  stderr: string;
}

/** One command on a host, with nothing on its standard input. @throws OperatorError as `connected` does */
export function execute(host: HostSettings, command: string): Promise<Output> {
  return connected(host, (client) => run(client, command));
}

/**
 * Does something over a connection to a host, which is closed after it.
 * @throws OperatorError when the host cannot be reached, is another than the one pinned, or refuses the login
 */
export async function connected<Result>(host: SshLogin, use: (client: Client) => Promise<Result>): Promise<Result> {
  // Loading it costs every preview; it is only needed here.
  const { Client } = await import("ssh2");
  const client = new Client();
  try {
    await connect(client, host);
    return await use(client);
  } finally {
    client.end();
  }
}

function connect(client: Client, host: SshLogin): Promise<void> {
  const privateKey = privateKeyOf(host);
  const pinned = host.hostKey.split(" ")[1];
  let presented = pinned;
  return new Promise((settle, fail) => {
    client.once("ready", settle);
    client.on("error", (error) => fail(explain(host, error, presented === pinned)));
    const options: ConnectConfig = {
      host: host.address,
      port: host.port,
      username: host.user,
      readyTimeout: READY_TIMEOUT,
      algorithms: { serverHostKey: [host.hostKey.split(" ")[0] as "ssh-ed25519"] },
      hostVerifier: (key: Buffer) => {
        presented = key.toString("base64");
        return presented === pinned;
      },
      ...(privateKey ? { privateKey } : { agent: process.env.SSH_AUTH_SOCK ?? "" }),
    };
    try {
      client.connect(options);
    } catch (error) {
      // The key is read before anything is sent.
      fail(unusableKey(host, error as Error));
    }
  });
}

function unusableKey({ privateKeyFile, setting = "harden-zot:hosts" }: SshLogin, error: Error): OperatorError {
  return new OperatorError(
    `${setting}: privateKeyFile = ${JSON.stringify(privateKeyFile)} cannot be used (${error.message}): name an unencrypted private key, or leave it out and give the key to the SSH agent with ssh-add. Nothing was changed.`,
  );
}

function run(client: Client, command: string): Promise<Output> {
  return new Promise((settle, fail) => {
    client.exec(command, (error, stream) => {
      if (error) return fail(error);
      const output: Output = { code: 255, stdout: "", stderr: "" };
      stream.on("data", (chunk: Buffer) => {
        output.stdout += chunk;
      });
      stream.stderr.on("data", (chunk: Buffer) => {
        output.stderr += chunk;
      });
      stream.on("exit", (code: number | null) => {
        output.code = code ?? 255;
      });
      stream.on("close", () => settle(output));
      stream.end();
    });
  });
}

/** As errors call it: `host user@address:port`. */
export function nameOf({ address, port, user }: SshLogin): string {
  return `host ${user}@${address}:${port}`;
}

/** In the operator's words: what is wrong, and what to do. */
function explain(host: SshLogin, error: Error & { level?: string; code?: string }, keyMatched: boolean): OperatorError {
  const name = nameOf(host);
  if (!keyMatched || /no matching host key/i.test(error.message)) {
    return new OperatorError(
      `${name} does not have the host key that ${host.setting ?? "harden-zot:hosts"} pins: another machine answers there, or the host was reinstalled; if you trust it, put the line of \`ssh-keyscan -t ed25519 ${host.address}\` into hostKey. Nothing was changed.`,
    );
  }
  if (error.level === "client-authentication") {
    const how = host.privateKeyFile ? `the key ${host.privateKeyFile}` : "what the SSH agent (SSH_AUTH_SOCK) offers";
    return new OperatorError(
      `${name} refused the login with ${how}: add the public key to that user's authorized_keys, or set privateKeyFile. Nothing was changed.`,
    );
  }
  return new OperatorError(
    `${name} cannot be reached (${error.code ?? error.message}): check address, port and that sshd runs there. Nothing was changed.`,
  );
}
