import { basic, type Fetch } from "../http/http";
import { OperatorError } from "../operator/error";

/** One API key as zot lists it (zot 2.1.20); the key itself is shown once, when it is minted. */
export interface ListedKey {
  uuid: string;
  label: string;
  /** RFC 3339. */
  createdAt: string;
  /** RFC 3339; the year 1 for a key that never expires. */
  expirationDate: string;
}

export interface FreshKey extends ListedKey {
  apiKey: string;
}

const PATH = "/zot/auth/apikey";

/**
 * The API keys of one user. What it may do there, a session and a key alike may.
 * @param fetch sends to the registry as that user
 */
export class ApiKeys {
  constructor(
    private readonly registryUrl: string,
    private readonly username: string,
    private readonly fetch: Fetch,
  ) {}

  async list(): Promise<ListedKey[]> {
    const { apiKeys } = (await this.ask(200, "GET", PATH)) as { apiKeys: ListedKey[] | null };
    return apiKeys ?? [];
  }

  async mint(label: string, expires: Date): Promise<FreshKey> {
    // zot does not enforce scopes, so to write any would only deceive (docs/facts.md).
    const request = { label, scopes: [], expirationDate: expires.toISOString() };
    return (await this.ask(201, "POST", PATH, request)) as FreshKey;
  }

  async revoke(uuid: string): Promise<void> {
    await this.ask(200, "DELETE", `${PATH}?id=${encodeURIComponent(uuid)}`);
  }

  private async ask(expected: number, method: string, path: string, body?: object): Promise<unknown> {
    const response = await this.fetch(`${this.registryUrl}${path}`, {
      method,
      ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
    });
    if (response.status !== expected) {
      await response.body?.cancel();
      throw new OperatorError(
        `The registry answered ${response.status} to ${method} ${this.registryUrl}${PATH} for ${this.username}, and ${expected} was expected: does the config it runs with have http.auth.apikey, and is every request to this path let through to it?`,
      );
    }
    return method === "DELETE" ? response.body?.cancel() : response.json();
  }
}

/** Sends every request with a key as the password. */
export function withKey(fetch: Fetch, username: string, apiKey: string): Fetch {
  return (url, init = {}) =>
    fetch(url, {
      ...init,
      headers: { ...Object.fromEntries(new Headers(init.headers)), authorization: basic(username, apiKey) },
    });
}
