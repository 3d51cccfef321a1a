import { connect, type Socket } from "node:net";
import type { Client, ConnectConfig } from "ssh2";
import type { Log } from "../log";

/** Where and how to connect; the defaults are already in it. */
interface Endpoint {
  host: string;
  port: number;
  user: string;
  password?: string;
  privateKey?: string;
  privateKeyPassword?: string;
  agentSocketPath?: string;
  /** How many failed attempts are made up for; -1: all of them. */
  dialErrorLimit: number;
  /** Seconds a TCP connection may take; 0: any time. */
  perDialTimeout: number;
  /** An authorized_keys line; nothing: any key will do. */
  hostKey?: string;
}

export interface Connection extends Endpoint {
  proxy?: Endpoint;
}

/** Most previews run nothing: it is loaded when something connects. */
const ssh2 = () => import("ssh2");

/** Connects to a host, through its proxy if it has one. */
export async function dial(connection: Connection, log: Log): Promise<Client> {
  const config = await sshConfig(connection);
  if (!connection.proxy) return retry("Dial", connection, log, async () => login(await tcp(connection), config));
  const { proxy } = connection;
  try {
    const proxyConfig = await sshConfig(proxy);
    const jump = await retry("Dial proxy", proxy, log, async () => login(await tcp(proxy), proxyConfig));
    return await retry("Dial from proxy", connection, log, async () => {
      const client = await login(await forward(jump, connection), config);
      client.on("close", () => jump.end());
      return client;
    });
  } catch (error) {
    throw new Error(`proxy: ${(error as Error).message}`);
  }
}

/** Tries again after a while that grows from 0.1 s to 5 s, as the provider does. */
async function retry<T>(what: string, endpoint: Endpoint, log: Log, attempt: () => Promise<T>): Promise<T> {
  const limit = endpoint.dialErrorLimit;
  for (let tried = 0, delay = 100; ; tried++, delay = Math.min(delay * 1.5, 5000)) {
    try {
      return await attempt();
    } catch (error) {
      if (limit >= 0 && tried >= limit) throw new Error(`after ${tried} failed attempts: ${(error as Error).message}`);
      await log.status(`${what} ${tried + 1}/${limit < 0 ? "inf" : limit} failed: retrying`);
      await new Promise((settle) => setTimeout(settle, delay));
    }
  }
}

function tcp({ host, port, perDialTimeout }: Endpoint): Promise<Socket> {
  return new Promise((settle, fail) => {
    const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const socket = connect({ host, port });
    const timer = perDialTimeout && setTimeout(() => socket.destroy(new Error("i/o timeout")), perDialTimeout * 1000);
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (timer) clearTimeout(timer);
      fail(new Error(`dial tcp ${address}: ${DIAL_ERRORS[error.code ?? ""] ?? error.message}`));
    });
    socket.once("connect", () => {
      if (timer) clearTimeout(timer);
      socket.removeAllListeners("error");
      settle(socket);
    });
  });
}

const DIAL_ERRORS: Record<string, string> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ENOTFOUND: "lookup: no such host",
};

function forward(jump: Client, { host, port }: Endpoint): Promise<Socket> {
  return new Promise((settle, fail) =>
    jump.forwardOut("127.0.0.1", 0, host, port, (error, channel) =>
      // A channel is the duplex stream ssh2 asks for; its types name a socket.
      error ? fail(new Error(`ssh: rejected: ${error.message}`)) : settle(channel as unknown as Socket),
    ),
  );
}

async function login(socket: Socket, config: ConnectConfig): Promise<Client> {
  const { Client } = await ssh2();
  return new Promise((settle, fail) => {
    const client = new Client();
    client.once("ready", () => {
      client.removeAllListeners("error");
      client.on("error", () => {}); // a lost connection shows as a command without an exit status
      settle(client);
    });
    client.once("error", (error) => {
      socket.destroy();
      fail(new Error(`ssh: handshake failed: ${handshakeError(error, config)}`));
    });
    client.connect({ ...config, sock: socket, readyTimeout: 0 });
  });
}

/** ssh2's errors in the words of golang.org/x/crypto/ssh, which the provider uses. */
function handshakeError({ message }: Error, config: ConnectConfig): string {
  if (message.startsWith("Host denied")) return "ssh: host key mismatch";
  if (message.includes("no matching host key format"))
    return `ssh: no common algorithm for host key; we offered: [${config.algorithms?.serverHostKey}]`;
  if (message.startsWith("All configured authentication methods failed")) {
    const methods = ["none", ...(config.privateKey || config.agent ? ["publickey"] : [])];
    if (config.password !== undefined) methods.push("password");
    return `ssh: unable to authenticate, attempted methods [${methods.join(" ")}], no supported methods remain`;
  }
  return message;
}

async function sshConfig(endpoint: Endpoint): Promise<ConnectConfig> {
  const { host, port, user: username, password, privateKey, privateKeyPassword: passphrase } = endpoint;
  const agent = endpoint.agentSocketPath ?? process.env.SSH_AUTH_SOCK;
  if (privateKey !== undefined) await checkPrivateKey(privateKey, passphrase);
  return {
    host,
    port,
    username,
    ...(privateKey !== undefined && { privateKey }),
    ...(passphrase !== undefined && { passphrase }),
    ...(password !== undefined && { password }),
    ...(agent && { agent }),
    ...hostKeyConfig(endpoint.hostKey),
  };
}

async function checkPrivateKey(privateKey: string, passphrase: string | undefined): Promise<void> {
  const { utils } = await ssh2();
  if (passphrase !== undefined && !(utils.parseKey(privateKey) instanceof Error))
    throw new Error("ssh: key is not password protected");
  const parsed = utils.parseKey(privateKey, passphrase);
  if (!(parsed instanceof Error)) return;
  if (/no passphrase given/.test(parsed.message)) throw new Error("ssh: this private key is passphrase protected");
  if (passphrase !== undefined && !/Unsupported key format/.test(parsed.message))
    throw new Error("x509: decryption password incorrect");
  throw new Error("ssh: no key found");
}

function hostKeyConfig(line: string | undefined): ConnectConfig {
  if (line === undefined) return {};
  const key = parseHostKey(line);
  return {
    hostVerifier: (offered: Buffer) => offered.equals(key.blob),
    algorithms: { serverHostKey: [key.type] as never },
  };
}

/** The first line that holds a key, whatever stands before it (options, a known_hosts pattern) or after it. */
function parseHostKey(text: string): { type: string; blob: Buffer } {
  for (const line of text.split("\n")) {
    if (line.trimStart().startsWith("#")) continue;
    const words = line.trim().split(/\s+/);
    for (const [index, type] of words.entries()) {
      const blob = Buffer.from(words[index + 1] ?? "", "base64");
      if (blob.length > 4 && blob.subarray(4, 4 + blob.readUInt32BE(0)).toString() === type) return { type, blob };
    }
  }
  throw new Error("failed to parse host key: ssh: no key found");
}
