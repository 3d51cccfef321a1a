import { setTimeout as sleep } from "node:timers/promises";

/** How long between two attacks on one registry, in ms. */
const PAUSE = 20;

/**
 * Attacks registries as a stranger does, without a pause: an upload that begins and an image that is deleted. A registry that
 * was hardened once must never let one through until its owner says farewell.
 */
export class Watch {
  /** What was let through, in words. */
  readonly breaches: string[] = [];
  /** How many attacks were answered. */
  attacks = 0;
  readonly #guarded = new Set<string>();
  #over = false;
  readonly #running: Promise<void>[];

  constructor(urls: string[]) {
    this.#running = urls.map((url) => this.#attack(url));
  }

  /** From now on. */
  guard(url: string): void {
    this.#guarded.add(url);
  }

  /** Its owner says farewell. */
  farewell(url: string): void {
    this.#guarded.delete(url);
  }

  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running);
  }

  async #attack(url: string): Promise<void> {
    while (!this.#over) {
      for (const [method, path] of this.#guarded.has(url) ? ATTACKS : []) {
        const status = await ask(method, `${url}${path}`);
        if (status === undefined) continue;
        this.attacks++;
        if (this.#guarded.has(url) && status < 300)
          this.breaches.push(`an anonymous ${method} ${path} was answered ${status} by ${url}`);
      }
      await sleep(PAUSE);
    }
  }
}

const ATTACKS = [
  ["POST", "/v2/team/app/blobs/uploads/"],
  ["DELETE", "/v2/team/app/manifests/v1.0.0-abcdef0"],
] as const;

/** Undefined while nobody answers. */
async function ask(method: string, url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, { method });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}
