import { createHash, randomBytes, randomUUID, scryptSync, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { emptyState } from "./blueprints";
import { createKeyPair, SIGNING_CERTIFICATE } from "./keypair";
import type { Application, CertificateKeyPair, Group, Provider, State, Token, User } from "./model";
import { GRANT_TYPES, type Release } from "./release";

/** All that the stand-in knows, and the questions that more than one room asks of it. Sessions are not kept here. */
export class Store {
  readonly state: State;
  private keyPair: Promise<CertificateKeyPair> | undefined;

  /** @param file JSON, read when it exists and written (0600: it holds secrets) by `save` */
  constructor(
    readonly release: Release,
    private readonly file?: string,
  ) {
    this.state = file && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : emptyState();
    if (release.knowsGrantTypes) this.migrate();
  }

  /** What the database migrations of 2026.5 do to what an older server left. */
  private migrate(): void {
    for (const provider of this.state.providers) provider.grant_types ??= [...GRANT_TYPES];
    for (const uri of this.state.providers.flatMap(({ redirect_uris }) => redirect_uris)) {
      uri.redirect_uri_type ??= "authorization";
    }
    for (const application of this.state.applications) application.meta_hide ??= false;
  }

  save(): void {
    if (!this.file) return;
    const beside = `${this.file}.new`;
    writeFileSync(beside, JSON.stringify(this.state), { mode: 0o600 });
    renameSync(beside, this.file);
  }

  /** The certificate of the default blueprints. An RSA key takes up to a second: made once, when first asked for. */
  signingCertificate(): Promise<CertificateKeyPair> {
    this.keyPair ??= this.findOrCreateCertificate();
    return this.keyPair;
  }

  private async findOrCreateCertificate(): Promise<CertificateKeyPair> {
    const known = this.state.certificates.find((pair) => pair.name === SIGNING_CERTIFICATE);
    if (known) return known;
    const created = await createKeyPair();
    this.state.certificates.push(created);
    this.save();
    return created;
  }

  group(pk: string | null): Group | undefined {
    return this.state.groups.find((group) => group.pk === pk);
  }

  user(pk: number | null): User | undefined {
    return this.state.users.find((user) => user.pk === pk);
  }

  provider(pk: number | null): Provider | undefined {
    return this.state.providers.find((provider) => provider.pk === pk);
  }

  applicationOf(provider: Provider): Application | undefined {
    return this.state.applications.find((application) => application.provider === provider.pk);
  }

  members(group: Group): User[] {
    return this.state.users.filter((user) => user.groups.includes(group.pk)).sort((a, b) => a.pk - b.pk);
  }

  /** Direct groups and all their ancestors. */
  allGroups(user: User): Group[] {
    const found = new Map<string, Group>();
    const visit = (pk: string) => {
      const group = this.group(pk);
      if (!group || found.has(pk)) return;
      found.set(pk, group);
      group.parents.forEach(visit);
    };
    user.groups.forEach(visit);
    return [...found.values()];
  }

  isSuperuser(user: User): boolean {
    return this.allGroups(user).some((group) => group.is_superuser);
  }

  /** Tokens that still hold; what has expired is deleted on the way, as Authentik's cleanup does. */
  liveTokens(): Token[] {
    const now = new Date().toISOString();
    const expired = (token: Token) => token.expiring && token.expires !== null && token.expires <= now;
    if (this.state.tokens.some(expired)) this.state.tokens = this.state.tokens.filter((token) => !expired(token));
    return this.state.tokens;
  }

  tokenWithKey(key: string, intent: string): Token | undefined {
    return this.liveTokens().find((token) => token.intent === intent && sameText(token.key, key));
  }

  addUser(given: Partial<User> & Pick<User, "username" | "name">): User {
    const now = timestamp();
    const pk = this.state.nextUserPk++;
    const user: User = {
      pk,
      uuid: randomUUID(),
      uid: createHash("sha256").update(`${pk}-${this.state.secret}`).digest("hex"),
      email: "",
      is_active: true,
      type: "internal",
      path: "users",
      attributes: {},
      groups: [],
      last_login: null,
      date_joined: now,
      password_change_date: now,
      last_updated: now,
      ...given,
    };
    this.state.users.push(user);
    return user;
  }

  addToken(given: Partial<Token> & Pick<Token, "identifier" | "intent" | "user">): Token {
    const token: Token = {
      pk: randomUUID(),
      description: "",
      expires: null,
      expiring: true,
      key: randomKey(60),
      ...given,
    };
    this.state.tokens.push(token);
    return token;
  }

  addGroup(given: Partial<Group> & Pick<Group, "name">): Group {
    const pk = randomUUID();
    const num_pk = Number.parseInt(pk.slice(0, 4), 16) + 1000;
    const group: Group = { pk, num_pk, is_superuser: false, parents: [], attributes: {}, ...given };
    this.state.groups.push(group);
    return group;
  }

  setPassword(user: User, password: string): void {
    const salt = randomBytes(16);
    user.password = `${salt.toString("hex")}:${scryptSync(password, salt, 32).toString("hex")}`;
    user.password_change_date = timestamp();
  }

  hasPassword(user: User, password: string): boolean {
    if (!user.password) return false;
    const [salt, hash] = user.password.split(":").map((part) => Buffer.from(part, "hex")) as [Buffer, Buffer];
    return timingSafeEqual(scryptSync(password, salt, 32), hash);
  }
}

export const timestamp = () => new Date().toISOString().replace("Z", "000Z");

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Letters and digits, as Authentik generates keys, client ids and secrets. */
export function randomKey(length: number): string {
  let key = "";
  while (key.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && key.length < length) key += ALPHABET[byte % ALPHABET.length];
    }
  }
  return key;
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
