import type { Duplex } from "node:stream";
import type { Client, ConnectConfig } from "ssh2";
import { OperatorError } from "../operator/error";
import type { LoginSettings } from "../settings/hosts";
import { type PrivateKey, privateKeyOf, type SshLogin } from "./private-key";
import { refusedKey, type SshError, unreachable } from "./ssh-errors";

/** Time for the TCP connection and the SSH handshake together, in ms. */
const READY_TIMEOUT = 10_000;

/** A link that died after the login is noticed when so many questions, so many ms apart, stay without an answer. */
const KEEPALIVE = { keepaliveInterval: 5_000, keepaliveCountMax: 3 };

/** How long a command may take that answers nothing over a link that lives, in ms: more than the agent's own limits. */
const DEADLINE = 300_000;

export interface Output {
  /** Of the command; 255, as of ssh itself, when the connection was lost, or nothing came, before it ended. */
  code: number;
  stdout: string;
  stderr: string;
}

/** A machine, perhaps behind another that the connection is led through. */
export interface SshTarget extends SshLogin {
  jump?: LoginSettings | undefined;
}

/** One command on a host. @throws OperatorError as `connected` does */
export function execute(host: SshTarget, command: string, stdin = ""): Promise<Output> {
  return connected(host, (client) => run(client, command, stdin));
}

/** Said where no connection came about in the middle of a run. */
export const MIDWAY = "What was done until now stays: mend it, and the next run goes on from there.";

/**
 * Does something over a connection to a host, which is closed after it.
 * @param before what is said of what was done until now, where no connection comes about
 * @throws OperatorError when the host or its jump host cannot be reached, is another than the one pinned, or refuses the
 *   login
 */
export async function connected<Result>(
  host: SshTarget,
  use: (client: Client) => Promise<Result>,
  before = "Nothing was changed.",
): Promise<Result> {
  const told = (error: Error): never => {
    throw error instanceof OperatorError ? new OperatorError(`${error.message} ${before}`) : error;
  };
  if (!host.jump) return session(host, nameOf(host), use, told);
  return session(
    host.jump,
    jumpNameOf(host),
    async (jump) => session(host, nameOf(host), use, told, await forward(jump, host).catch(told)),
    told,
  );
}

async function session<Result>(
  to: SshLogin,
  name: string,
  use: (client: Client) => Promise<Result>,
  refused: (error: Error) => never,
  through?: Duplex,
): Promise<Result> {
  // Loading it costs every preview; it is only needed here.
  const { Client } = await import("ssh2");
  const client = new Client();
  try {
    await connect(client, to, name, through).catch(refused);
    return await use(client);
  } finally {
    client.end();
  }
}

async function connect(client: Client, to: SshLogin, name: string, through?: Duplex): Promise<void> {
  const key = privateKeyOf(to);
  if (key) await check(key, to);
  const pinned = to.hostKey.split(" ")[1];
  let presented = pinned;
  const options: ConnectConfig = {
    ...(through ? { sock: through } : { host: to.address, port: to.port }),
    username: to.user,
    readyTimeout: READY_TIMEOUT,
    ...KEEPALIVE,
    algorithms: { serverHostKey: [to.hostKey.split(" ")[0] as "ssh-ed25519"] },
    hostVerifier: (offered: Buffer) => {
      presented = offered.toString("base64");
      return presented === pinned;
    },
    ...(key ? { privateKey: key.text } : { agent: process.env.SSH_AUTH_SOCK ?? "" }),
    ...(key?.passphrase && { passphrase: key.passphrase }),
  };
  return new Promise((settle, fail) => {
    client.once("ready", settle);
    client.on("error", (error: SshError) => fail(unreachable(to, name, error, presented === pinned)));
    client.connect(options);
  });
}

/** The key is opened before anything is sent, so that what is wrong with it is not taken for a refusal. */
async function check({ text, passphrase }: PrivateKey, to: SshLogin): Promise<void> {
  const { utils } = await import("ssh2");
  const closed = utils.parseKey(text);
  const opened = passphrase ? utils.parseKey(text, passphrase) : closed;
  if (opened instanceof Error) throw refusedKey(to, opened.message);
  // @pulumi/command 1.2.1 refuses a passphrase for a key that needs none.
  if (passphrase && !(closed instanceof Error)) throw refusedKey(to, "it is not encrypted");
}

function forward(jump: Client, host: SshTarget): Promise<Duplex> {
  const { address, port } = host;
  return new Promise((settle, fail) =>
    jump.forwardOut("127.0.0.1", 0, address, port, (error, channel) => {
      if (!error) return settle(channel);
      const why = error.message.replace(/^.*?: /, "");
      fail(
        new OperatorError(
          `${jumpNameOf(host)} cannot reach ${nameOf(host)} (${why}): check that address and port as the jump host sees them, that sshd runs there, and that the jump host lets TCP be forwarded.`,
        ),
      );
    }),
  );
}

/** A command over a connection. @param deadline in ms; after it the connection counts as lost */
export function run(client: Client, command: string, stdin = "", deadline = DEADLINE): Promise<Output> {
  return new Promise((settle) => {
    client.exec(command, (error, stream) => {
      if (error) return settle({ code: 255, stdout: "", stderr: "" });
      const timer = setTimeout(() => client.destroy(), deadline);
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
      stream.on("close", () => {
        clearTimeout(timer);
        settle(output);
      });
      stream.end(stdin);
    });
  });
}

/** As errors call it: `host user@address:port`. */
export function nameOf({ address, port, user }: SshLogin): string {
  return `host ${user}@${address}:${port}`;
}

function jumpNameOf({ address, jump }: SshTarget): string {
  return jump ? `the jump ${nameOf(jump)} (for ${address})` : "";
}
