import { createHash, randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { StartFailure } from "../start-failure";
import { readIfThere, writeWhole } from "../storage/files";

/** What zot calls an API key's details; dates are RFC 3339, year 1 for "never". */
export interface ApiKey {
  createdAt: string;
  expirationDate: string;
  isExpired: boolean;
  creatorUa: string;
  generatedBy: "manual";
  lastUsed: string;
  label: string;
  scopes: string[] | null;
  uuid: string;
}

interface UserRecord {
  groups: string[];
  /** By the SHA-256 of the key, in hexadecimal: the key itself is never kept. */
  apiKeys: Record<string, ApiKey>;
}

const NEVER = "0001-01-01T00:00:00Z";
const PREFIX = "zak_";

const hash = (secret: string) => createHash("sha256").update(secret).digest("hex");

const expired = ({ expirationDate }: ApiKey) => expirationDate !== NEVER && Date.parse(expirationDate) < Date.now();

function readRecords(path: string): Record<string, UserRecord> {
  try {
    return JSON.parse(readIfThere(path)?.toString() ?? "{}");
  } catch {
    throw new StartFailure(
      `${path} is not the stand-in's: a real zot wrote it; give the stand-in a root directory of its own`,
    );
  }
}

/** Users, their groups and their API keys: zot's meta.db, here a JSON file of mode 0600 under the same name. */
export class Users {
  private readonly path: string;
  private readonly records: Map<string, UserRecord>;

  constructor(rootDirectory: string) {
    this.path = join(rootDirectory, "meta.db");
    this.records = new Map(Object.entries(readRecords(this.path)));
    this.save();
  }

  /** Undefined for a name that never logged in. */
  groups(name: string): string[] | undefined {
    return this.records.get(name)?.groups;
  }

  setGroups(name: string, groups: string[]): void {
    const record = this.records.get(name);
    if (record && record.groups.join("\n") === groups.join("\n")) return;
    this.records.set(name, { groups, apiKeys: record?.apiKeys ?? {} });
    this.save();
  }

  keys(name: string): ApiKey[] {
    return Object.values(this.records.get(name)?.apiKeys ?? {}).map((key) => ({ ...key, isExpired: expired(key) }));
  }

  /** @param expirationDate RFC 3339; undefined for a key that does not expire */
  addKey(name: string, { label, scopes, expirationDate, userAgent }: KeyRequest): ApiKey & { apiKey: string } {
    const secret = randomBytes(16).toString("hex");
    const key: ApiKey = {
      createdAt: new Date().toISOString(),
      expirationDate: expirationDate ?? NEVER,
      isExpired: false,
      creatorUa: userAgent,
      generatedBy: "manual",
      lastUsed: NEVER,
      label,
      scopes,
      uuid: randomUUID(),
    };
    const record = this.records.get(name) ?? { groups: [], apiKeys: {} };
    record.apiKeys[hash(secret)] = key;
    this.records.set(name, record);
    this.save();
    return { ...key, apiKey: `${PREFIX}${secret}` };
  }

  /** An identifier that is unknown, or another user's, changes nothing. */
  removeKey(name: string, uuid: string): void {
    const record = this.records.get(name);
    const found = Object.entries(record?.apiKeys ?? {}).find(([, key]) => key.uuid === uuid);
    if (record && found) {
      delete record.apiKeys[found[0]];
      this.save();
    }
  }

  /** Whether the password is an unexpired API key of exactly this user. */
  acceptsKey(name: string, password: string): boolean {
    const key = password.startsWith(PREFIX)
      ? this.records.get(name)?.apiKeys[hash(password.slice(PREFIX.length))]
      : undefined;
    if (!key || expired(key)) return false;
    key.lastUsed = new Date().toISOString();
    return true;
  }

  save(): void {
    writeWhole(this.path, JSON.stringify(Object.fromEntries(this.records)), 0o600);
  }
}

export interface KeyRequest {
  label: string;
  scopes: string[] | null;
  expirationDate?: string | undefined;
  userAgent: string;
}
