import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import sodium from "libsodium-wrappers";

export interface Forge {
  url: string;
  /** May write the secrets below. */
  token: string;
  /** Is known, and may only read. */
  readOnlyToken: string;
  /** Secrets by owner (`repos/team/app`, `orgs/team`) and name, as CI would read them. */
  secrets: Map<string, Map<string, string>>;
  /** visibility by `orgs/team` and name, where GitHub was told one */
  visibility: Map<string, string>;
  close(): void;
}

interface Asked {
  /** repos/team/app or orgs/team */
  owner: string;
  name: string;
  method: string;
  body: Record<string, string>;
}

interface Answer {
  status: number;
  body?: object;
}

const FORGEJO = /^\/api\/v1\/((?:repos\/[^/]+|orgs)\/[^/]+)\/actions\/secrets\/([^/]+)$/;
const GITHUB = /^\/api\/v3\/((?:repos\/[^/]+|orgs)\/[^/]+)\/actions\/secrets\/([^/]+)$/;

/**
 * The Actions secrets of a forge, as Forgejo (API v1) and GitHub (REST 2022-11-28, as an Enterprise Server has it) document
 * them, on loopback.
 */
export async function startForge(owners: string[]): Promise<Forge> {
  await sodium.ready;
  const store = new Store(owners);
  const server = createServer((request, response) => void answer(store, request, response));
  await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { token, readOnlyToken, secrets, visibility } = store;
  return { url, token, readOnlyToken, secrets, visibility, close: () => server.close() };
}

class Store {
  readonly token = randomBytes(20).toString("hex");
  readonly readOnlyToken = randomBytes(20).toString("hex");
  readonly secrets = new Map<string, Map<string, string>>();
  readonly visibility = new Map<string, string>();
  readonly keys = sodium.crypto_box_keypair();

  constructor(owners: string[]) {
    for (const owner of owners) this.secrets.set(owner, new Map());
  }

  put(owner: string, name: string, value: string): Answer {
    const known = this.secrets.get(owner);
    const status = known?.has(name) ? 204 : 201;
    known?.set(name, value);
    return { status };
  }

  remove(owner: string, name: string): Answer {
    return { status: this.secrets.get(owner)?.delete(name) ? 204 : 404 };
  }
}

async function answer(store: Store, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "", url = "" } = request;
  const body = method === "PUT" ? ((await json(request)) as Record<string, string>) : {};
  const [forgejo, github] = [FORGEJO.exec(url), GITHUB.exec(url)];
  const [, owner = "", name = ""] = forgejo ?? github ?? [];
  const { status, body: said } =
    refusal(store, request, owner, Boolean(github)) ??
    (github ? askGithub : askForgejo)(store, { owner, name, method, body });
  response.writeHead(status, { "content-type": "application/json" }).end(said ? JSON.stringify(said) : undefined);
}

function refusal(store: Store, { headers }: IncomingMessage, owner: string, github: boolean): Answer | undefined {
  const [scheme, token] = (headers.authorization ?? "").split(" ");
  if (scheme !== (github ? "Bearer" : "token") || (token !== store.token && token !== store.readOnlyToken)) {
    return { status: 401, body: { message: github ? "Bad credentials" : "user does not exist" } };
  }
  if (github && !headers["user-agent"]) return { status: 403, body: { message: "User-Agent header is required" } };
  if (!store.secrets.has(owner)) return { status: 404, body: { message: "Not Found" } };
  if (token === store.readOnlyToken)
    return { status: 403, body: { message: `token does not have the scope: ${token}` } };
  return undefined;
}

function askForgejo(store: Store, { method, owner, name, body }: Asked): Answer {
  if (method === "DELETE") return store.remove(owner, name);
  if (method !== "PUT") return { status: 405 };
  if (typeof body.data !== "string") return { status: 422, body: { message: "[Data]: Required" } };
  return store.put(owner, name, body.data);
}

const KEY_ID = "568250167242549743";

function askGithub(store: Store, { method, owner, name, body }: Asked): Answer {
  if (method === "GET" && name === "public-key") {
    return { status: 200, body: { key_id: KEY_ID, key: Buffer.from(store.keys.publicKey).toString("base64") } };
  }
  if (method === "DELETE") return store.remove(owner, name);
  if (method !== "PUT") return { status: 404 };
  const { encrypted_value: sealed, key_id, visibility } = body;
  const known = ["all", "private"].includes(visibility ?? "");
  if (owner.startsWith("orgs/") !== known) return { status: 422, body: { message: "visibility" } };
  if (sealed === undefined || key_id !== KEY_ID) return { status: 422, body: { message: "key_id" } };
  if (visibility !== undefined) store.visibility.set(`${owner}/${name}`, visibility);
  return store.put(owner, name, open(store, sealed));
}

function open({ keys }: Store, sealed: string): string {
  const value = sodium.crypto_box_seal_open(Buffer.from(sealed, "base64"), keys.publicKey, keys.privateKey);
  return Buffer.from(value).toString("utf8");
}
