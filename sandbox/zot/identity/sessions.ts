import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { parse, type SerializeOptions, serialize } from "cookie";
import { sign, unsign } from "cookie-signature";
import { readIfThere, writeWhole } from "../storage/files";

/** Sessions live two hours (zot 2.1.20, cookiesMaxAge), in seconds. */
const MAX_AGE = 7200;

export type SessionValues = Record<string, string>;

export interface SessionOptions {
  rootDirectory: string;
  /** From sessionKeysFile; without one a restart ends every session. */
  hashKey?: string | undefined;
  /** Accepted for its length only: the stand-in signs what it keeps and does not encrypt it. */
  encryptKey?: string | undefined;
}

/** Signed cookies that name a file under `<rootDirectory>/_sessions`, as zot keeps them on local storage. */
export class Sessions {
  private readonly directory: string;
  private readonly key: string;

  constructor(private readonly options: SessionOptions) {
    this.directory = join(options.rootDirectory, "_sessions");
    this.key = options.hashKey || randomBytes(64).toString("base64");
    mkdirSync(this.directory, { recursive: true });
  }

  /** zot answers every login with 500 if its encryption key has another length. */
  get broken(): boolean {
    const length = Buffer.byteLength(this.options.encryptKey ?? "");
    return ![0, 16, 24, 32].includes(length);
  }

  open(response: ServerResponse, name: string, values: SessionValues, options: SerializeOptions): void {
    const id = randomBytes(32).toString("hex");
    writeWhole(this.file(id), JSON.stringify({ name, createdAt: Date.now(), values }), 0o600);
    addCookie(response, name, this.seal(name, id), { maxAge: MAX_AGE, httpOnly: true, ...options });
  }

  read(request: IncomingMessage, name: string): SessionValues | undefined {
    const id = this.id(request, name);
    const content = id === undefined ? undefined : readIfThere(this.file(id));
    if (!content) return undefined;
    const session = JSON.parse(content.toString()) as { name: string; createdAt: number; values: SessionValues };
    return session.name === name && Date.now() - session.createdAt < MAX_AGE * 1000 ? session.values : undefined;
  }

  close(request: IncomingMessage, response: ServerResponse, name: string): void {
    const id = this.id(request, name);
    if (id !== undefined) rmSync(this.file(id), { force: true });
    expireCookie(response, name);
  }

  /** A value only this registry can have set under this cookie name. */
  seal(name: string, value: string): string {
    return sign(`${name}=${value}`, this.key);
  }

  unseal(request: IncomingMessage, name: string): string | undefined {
    const opened = unsign(cookies(request)[name] ?? "", this.key);
    return opened === false || !opened.startsWith(`${name}=`) ? undefined : opened.slice(name.length + 1);
  }

  private id(request: IncomingMessage, name: string): string | undefined {
    const id = this.unseal(request, name);
    return id && /^[0-9a-f]{64}$/.test(id) ? id : undefined;
  }

  private file(id: string): string {
    return join(this.directory, `session_${id}`);
  }
}

function cookies(request: IncomingMessage): Record<string, string | undefined> {
  return parse(request.headers.cookie ?? "");
}

export function addCookie(response: ServerResponse, name: string, value: string, options: SerializeOptions): void {
  response.appendHeader("Set-Cookie", serialize(name, value, { path: "/", ...options }));
}

export function expireCookie(response: ServerResponse, name: string): void {
  addCookie(response, name, "", { expires: new Date(0), httpOnly: true });
}
