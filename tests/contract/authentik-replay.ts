import { readFileSync } from "node:fs";
import { join } from "node:path";

const VECTORS = join(__dirname, "../vectors/authentik");

export const readVector = (name: string) => readFileSync(join(VECTORS, name), "utf8");

export const readLines = <Row>(name: string): Row[] =>
  readVector(name)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** Of these only the kind of value can be the same on two servers; a date and null are one kind. */
const LOOSE = new Set([
  "date_joined",
  "last_login",
  "last_updated",
  "password_change_date",
  "cert_expiry",
  "expires",
  "request_id",
  "sentry_dsn",
  "system_permissions",
  "version_current",
  "version_latest",
  "version_latest_valid",
  "exp",
  "iat",
  "auth_time",
  "autocomplete",
  "cache_count",
]);

/** Numbers that are primary keys, by the attribute that holds them. */
const KEYS = new Set(["pk", "num_pk", "user_pk", "user", "provider", "users"]);

/** Lists whose order Authentik does not keep. */
const SETS = new Set([
  "results",
  "property_mappings",
  "groups",
  "groups_obj",
  "users",
  "users_obj",
  "children",
  "permissions",
]);

const RANDOM = [
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  /^[0-9a-f]{32}$/,
  /^[0-9a-f]{64}$/,
  /^[\w-]{86}$/,
  /^[A-Za-z0-9]{40}$/,
  /^[A-Za-z0-9]{60}$/,
  /^[A-Za-z0-9]{128}$/,
  /^([0-9a-f]{2}:){19}[0-9a-f]{2}$/,
  /^([0-9a-f]{2}:){31}[0-9a-f]{2}$/,
];

/**
 * Plays a recording against another server. Values that no two servers share (UUIDs, keys, hashes) are matched by shape
 * the first time, and from then on must stay the one they were: `seen` is recorded value -> value here.
 */
export class Replay {
  private readonly seen = new Map<unknown, unknown>();

  /** @param exact whether an attribute the recording has not is a difference */
  constructor(
    private readonly url: string,
    readonly suffix: string,
    private readonly exact: boolean,
  ) {}

  /** A recorded text as it must be sent here. */
  text(recorded: string): string {
    let text = recorded.replaceAll("{url}", this.url).replaceAll("~", this.suffix);
    text = text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (uuid) => String(this.seen.get(uuid) ?? uuid));
    return text.replace(/\{base64:(.*?)\}/g, (_match, plain: string) => Buffer.from(plain).toString("base64"));
  }

  /** A recorded path; its integers are primary keys. */
  path(recorded: string): string {
    const key = (digits: string) => String(this.seen.get(Number(digits)) ?? digits);
    return this.text(recorded)
      .replace(/\/(\d+)\//g, (_match, digits: string) => `/${key(digits)}/`)
      .replace(/for_user=(\d+)/, (_match, digits: string) => `for_user=${key(digits)}`);
  }

  body(recorded: unknown, attribute = ""): unknown {
    if (typeof recorded === "string") return this.seen.get(recorded) ?? this.text(recorded);
    if (typeof recorded === "number" && KEYS.has(attribute)) return this.seen.get(recorded) ?? recorded;
    if (Array.isArray(recorded)) return recorded.map((item) => this.body(item, attribute));
    if (typeof recorded !== "object" || recorded === null) return recorded;
    return Object.fromEntries(Object.entries(recorded).map(([name, value]) => [name, this.body(value, name)]));
  }

  /** @returns every difference, as `where: recorded, here`; none when the answer is the same */
  differences(recorded: unknown, here: unknown, at = "", attribute = ""): string[] {
    const different = [`${at}: recorded ${JSON.stringify(recorded)}, here ${JSON.stringify(here)}`];
    if (LOOSE.has(attribute)) return kind(recorded) === kind(here) ? [] : different;
    if (attribute === "scope") return words(recorded) === words(here) ? [] : different;
    if (recorded === "{any}") return typeof here === "string" ? [] : different;
    if (recorded === "avatar") return String(here).startsWith("data:image/svg+xml;base64,") ? [] : different;
    if (recorded === "PEM") return String(here).startsWith("-----BEGIN ") ? [] : different;
    if (typeof recorded === "string") return this.sameText(recorded, here) ? [] : different;
    if (typeof recorded === "number" && KEYS.has(attribute)) return this.sameValue(recorded, here) ? [] : different;
    if (Array.isArray(recorded)) return Array.isArray(here) ? this.list(recorded, here, at, attribute) : different;
    if (typeof recorded !== "object" || recorded === null) return recorded === here ? [] : different;
    if ("jwt" in recorded) return this.differences(recorded.jwt, decodeJwt(here), `${at}.jwt`);
    if (typeof here !== "object" || here === null || Array.isArray(here)) return different;
    return this.object(recorded as Record<string, unknown>, here as Record<string, unknown>, at);
  }

  private object(recorded: Record<string, unknown>, here: Record<string, unknown>, at: string): string[] {
    const extra = Object.keys(here).filter((name) => this.exact && !(name in recorded));
    return [
      ...extra.map((name) => `${at}.${name}: not recorded, here ${JSON.stringify(here[name])}`),
      ...Object.entries(recorded).flatMap(([name, value]) =>
        this.differences(value, here[name], `${at}.${name}`, name),
      ),
    ];
  }

  private list(recorded: unknown[], here: unknown[], at: string, attribute: string): string[] {
    if (recorded.length !== here.length) return [`${at}: recorded ${recorded.length} items, here ${here.length}`];
    const [left, right] = SETS.has(attribute) ? this.aligned(recorded, here) : [recorded, here];
    return left.flatMap((item, index) => this.differences(item, right[index], `${at}[${index}]`, attribute));
  }

  /** Members of a set, put in one order by what is known of them. */
  private aligned(recorded: unknown[], here: unknown[]): [unknown[], unknown[]] {
    const attribute = (item: unknown, name: string) =>
      typeof item === "object" && item !== null ? (item as Record<string, unknown>)[name] : undefined;
    const identity = (item: unknown) => attribute(item, "pk") ?? item;
    const place = (item: unknown) => {
      const wanted = this.seen.get(identity(item));
      const known = here.findIndex((candidate) => wanted !== undefined && identity(candidate) === wanted);
      if (known !== -1) return known;
      const name = attribute(item, "name");
      const named = here.findIndex((candidate) => name !== undefined && attribute(candidate, "name") === name);
      return named === -1 ? recorded.indexOf(item) : named;
    };
    return [[...recorded].sort((a, b) => place(a) - place(b)), here];
  }

  private sameText(recorded: string, here: unknown): boolean {
    if (typeof here !== "string") return false;
    const shape = RANDOM.find((pattern) => pattern.test(recorded));
    if (shape) return shape.test(here) && this.sameValue(recorded, here);
    return this.text(recorded) === here;
  }

  private sameValue(recorded: unknown, here: unknown): boolean {
    if (typeof recorded !== typeof here) return false;
    if (!this.seen.has(recorded)) this.seen.set(recorded, here);
    return this.seen.get(recorded) === here;
  }
}

/** Authentik keeps scopes as a set: their order differs from one process to the next. */
const words = (scopes: unknown) => String(scopes).split(" ").sort().join(" ");

function kind(value: unknown): string {
  if (value === null || /^\d{4}-\d\d-\d\dT/.test(String(value))) return "date or null";
  return Array.isArray(value) ? "list" : typeof value;
}

function decodeJwt(token: unknown): unknown {
  const parts = String(token).split(".").slice(0, 2);
  try {
    return parts.map((part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8")));
  } catch {
    return token;
  }
}
