import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { stringifySetCookie } from "cookie";
import { jwtVerify, SignJWT } from "jose";
import type { Request } from "./http";
import type { LoginMethod, Plan } from "./login/plan";
import type { User } from "./model";
import { randomKey, type Store } from "./store";

/** One browser. Kept in memory alone: a restart logs everybody out, as deleting Authentik's sessions would. */
export interface Session {
  sid: string;
  user: number | null;
  method: LoginMethod;
  /** Unix seconds of the login. */
  authenticatedAt: number;
  /** Unix milliseconds; sessions of a login stage with a duration end. */
  expiresAt: number;
  csrf: string;
  plan: Plan | null;
}

const BROWSER_SESSION = 14 * 86_400_000;

export class Sessions {
  private readonly bySid = new Map<string, Session>();
  private readonly key: Uint8Array;

  constructor(private readonly store: Store) {
    this.key = new TextEncoder().encode(store.state.secret);
  }

  /** The session of a request; a new one when it has none that holds. */
  async of(request: Request): Promise<Session> {
    const sid = await this.sidOf(request.cookies.authentik_session);
    const known = sid === undefined ? undefined : this.bySid.get(sid);
    return known && known.expiresAt > Date.now() ? known : this.open();
  }

  private open(): Session {
    const session: Session = {
      sid: randomKey(32).toLowerCase(),
      user: null,
      method: null,
      authenticatedAt: 0,
      expiresAt: Date.now() + BROWSER_SESSION,
      csrf: randomKey(32),
      plan: null,
    };
    this.bySid.set(session.sid, session);
    return session;
  }

  private async sidOf(cookie: string | undefined): Promise<string | undefined> {
    if (!cookie) return undefined;
    try {
      return (await jwtVerify(cookie, this.key, { issuer: "authentik" })).payload.sid as string;
    } catch {
      return undefined;
    }
  }

  userOf(session: Session): User | null {
    const user = this.store.user(session.user);
    return user?.is_active ? user : null;
  }

  /** A new session id at login, so that one planted before it is worth nothing. @param seconds 0: until the browser closes */
  logIn(session: Session, user: User, method: LoginMethod, seconds: number): void {
    this.bySid.delete(session.sid);
    session.sid = randomKey(32).toLowerCase();
    session.user = user.pk;
    session.method = method;
    session.authenticatedAt = Math.floor(Date.now() / 1000);
    session.expiresAt = Date.now() + (seconds > 0 ? seconds * 1000 : BROWSER_SESSION);
    session.csrf = randomKey(32);
    this.bySid.set(session.sid, session);
  }

  /** An anonymous session takes the place of one that was logged in. */
  logOut(session: Session): void {
    this.bySid.delete(session.sid);
    Object.assign(session, this.open(), { plan: session.plan });
    this.bySid.set(session.sid, session);
  }

  /** `Set-Cookie` values: the session's always, those of a login once it is fresh. */
  async cookies(session: Session, fresh: boolean): Promise<string[]> {
    const user = this.userOf(session);
    const token = await new SignJWT({
      sid: session.sid,
      iss: "authentik",
      sub: user?.uid ?? "anonymous",
      authenticated: user !== null,
      acr: "goauthentik.io/core/default",
    })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .sign(this.key);
    const own = stringifySetCookie("authentik_session", token, { httpOnly: true, path: "/", sameSite: "lax" });
    if (!fresh || !user) return [own];
    const device = createHmac("sha256", this.key)
      .update(`${user.uid} ${randomBytes(8).toString("hex")}`)
      .digest("hex");
    return [
      stringifySetCookie("authentik_device", device, { maxAge: 2_592_000, path: "/", sameSite: "lax" }),
      stringifySetCookie("authentik_csrf", session.csrf, { maxAge: 31_449_600, path: "/", sameSite: "lax" }),
      own,
    ];
  }

  /** Anonymous requests need no CSRF header; logged-in ones do. */
  hasCsrf(session: Session, request: Request): boolean {
    if (this.userOf(session) === null) return true;
    const given = Buffer.from(String(request.headers["x-authentik-csrf"] ?? ""));
    const wanted = Buffer.from(session.csrf);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

/** Authentik's durations: `minutes=5`, `hours=1;minutes=30`. @returns seconds */
export function seconds(duration: string): number {
  const units: Record<string, number> = { seconds: 1, minutes: 60, hours: 3600, days: 86_400, weeks: 604_800 };
  return duration
    .split(";")
    .map((part) => part.split("="))
    .reduce((sum, [unit, amount]) => sum + (units[unit?.trim() ?? ""] ?? 0) * Number(amount ?? 0), 0);
}
