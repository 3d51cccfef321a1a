import type { Answer, Zot } from "./zot-harness";

/** A browser as far as a login needs one: cookies by name and path, redirects by hand. */
export class Browser {
  readonly cookies = new Map<string, { value: string; path: string }>();
  /** The Set-Cookie lines seen, by cookie name. */
  readonly seen = new Map<string, string>();

  constructor(private readonly zot: Zot) {}

  async ask(
    path: string,
    ask: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    const sent = [...this.cookies].filter(([, cookie]) => path.startsWith(cookie.path));
    const cookie = sent.map(([name, { value }]) => `${name}=${value}`).join("; ");
    const answer = await this.zot.ask(path, {
      ...ask,
      headers: { ...ask.headers, ...(cookie ? { Cookie: cookie } : {}) },
    });
    for (const line of answer.headers.getSetCookie()) this.store(line);
    return answer;
  }

  private store(line: string): void {
    const name = line.slice(0, line.indexOf("="));
    const value = line.slice(name.length + 1).split(";")[0] ?? "";
    this.seen.set(name, line);
    if (value === "" || /max-age=(0|-\d+)|expires=thu, 01 jan 1970/i.test(line)) {
      this.cookies.delete(name);
    } else {
      this.cookies.set(name, { value, path: /path=([^;]+)/i.exec(line)?.[1] ?? "/" });
    }
  }

  /** As zot's own web UI asks. */
  ui(path: string, ask: { method?: string; body?: string } = {}): Promise<Answer> {
    return this.ask(path, { ...ask, headers: { "X-ZOT-API-CLIENT": "zot-ui" } });
  }

  /** The whole login; returns the callback's answer. */
  async logIn(query = ""): Promise<Answer> {
    const started = await this.ask(`/zot/auth/login?provider=oidc${query}`);
    const consent = await fetch(started.headers.get("location") as string, { redirect: "manual" });
    const { pathname, search } = new URL(consent.headers.get("location") as string);
    return this.ask(pathname + search);
  }
}
