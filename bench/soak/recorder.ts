import type { Fetch } from "../../src/http/http";
import type { TinyImage } from "../../src/verify/image";
import type { Action, Exchange, Phase, Rule, Settled } from "./judge";
import type { Change } from "./timeline";

/** How long a request may take, in ms. */
const TIMEOUT = 15_000;

const RECENT = 50;

/** An image that somebody pushed. */
export interface Pushed {
  repository: string;
  tag: string;
  image: TinyImage;
  /** false: no answer came, so it may be there or not. */
  answered: boolean;
}

/** All that was asked, answered and changed, by the clock of the run: milliseconds from its start. */
export class Recorder {
  readonly exchanges: Exchange[] = [];
  readonly phases: Phase[] = [];
  readonly settled: Settled[] = [];
  /** By `repository:tag`. */
  readonly pushed = new Map<string, Pushed>();
  /** What went wrong that is no answer to a request. */
  readonly problems: string[] = [];
  #recent: Pushed[] = [];
  readonly #began = performance.now();

  now(): number {
    return performance.now() - this.#began;
  }

  problem(text: string): void {
    this.problems.push(`${(this.now() / 1000).toFixed(1)} s: ${text}`);
  }

  async during<Result>(name: Change, work: () => Promise<Result>): Promise<Result> {
    const phase: Phase = { name, from: this.now(), to: Number.POSITIVE_INFINITY };
    this.phases.push(phase);
    try {
      return await work();
    } finally {
      phase.to = this.now();
    }
  }

  /** From now on this rule is known to be in force. */
  settle(rule: Rule): void {
    this.unsettle();
    this.settled.push({ rule, from: this.now(), to: Number.POSITIVE_INFINITY });
  }

  /** From now on it may be either. */
  unsettle(): void {
    const last = this.settled.at(-1);
    if (last?.to === Number.POSITIVE_INFINITY) last.to = this.now();
  }

  push(pushed: Pushed): void {
    this.pushed.set(`${pushed.repository}:${pushed.tag}`, pushed);
    if (pushed.answered) this.#recent = [...this.#recent.slice(1 - RECENT), pushed];
  }

  /** One of the last that were pushed and answered; another one each time. */
  recent(round: number): Pushed | undefined {
    return this.#recent[round % this.#recent.length];
  }

  note(action: Action, status: Exchange["status"], from = this.now()): void {
    this.exchanges.push({ action, status, from, to: this.now() });
  }

  /**
   * Sends and records; the answer is read to its end.
   * @param seconds that it is meant to take
   * @throws when none came, which is recorded too
   */
  fetchAs(action: Action, seconds = 0): Fetch {
    return async (url, init) => {
      const from = this.now();
      try {
        const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT + 1000 * seconds), ...init });
        const body = await answer.arrayBuffer();
        this.note(action, answer.status, from);
        return new Response(body.byteLength > 0 ? body : null, { status: answer.status, headers: answer.headers });
      } catch (error) {
        this.note(action, reasonOf(error as Error), from);
        throw error;
      }
    };
  }
}

/** As the system names it: `ECONNREFUSED`. */
function reasonOf({ name, message, cause }: Error): string {
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? (name === "TimeoutError" ? name : message);
}
