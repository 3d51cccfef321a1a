import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface LoopReport {
  requests: number;
  /** Not answered, or not with 200. */
  failed: number;
  /** Milliseconds from the first failed request to the first answer after it, summed over all such windows. */
  window: number;
  /** The longest of them; one that had not ended when the loop was stopped counts until then. */
  longest: number;
}

/** Asks for the same page again and again, a millisecond after each answer: on a kept connection and on new ones. */
export class RequestLoop {
  private readonly report: LoopReport = { requests: 0, failed: 0, window: 0, longest: 0 };
  private readonly lanes: Promise<void>[];
  private failingSince: number | undefined;
  private stopping = false;

  constructor(private readonly url: string) {
    this.lanes = [new Agent({ keepAlive: true, maxSockets: 1 }), new Agent()].map((agent) => this.run(agent));
  }

  async stop(): Promise<LoopReport> {
    this.stopping = true;
    await Promise.all(this.lanes);
    if (this.failingSince !== undefined) this.ended(this.failingSince);
    return this.report;
  }

  private async run(agent: Agent): Promise<void> {
    while (!this.stopping) {
      const began = performance.now();
      const status = await this.ask(agent);
      this.report.requests++;
      if (status !== 200) {
        this.report.failed++;
        this.failingSince ??= began;
      } else if (this.failingSince !== undefined && began > this.failingSince) {
        this.report.window += this.ended(this.failingSince);
      }
      await sleep(1);
    }
    agent.destroy();
  }

  private ended(since: number): number {
    const window = performance.now() - since;
    this.report.longest = Math.max(this.report.longest, window);
    this.failingSince = undefined;
    return window;
  }

  /** 0: not answered. */
  private ask(agent: Agent): Promise<number> {
    return new Promise((settle) => {
      const request = get(this.url, { agent, timeout: 5000 }, (response) => {
        response
          .resume()
          .on("end", () => settle(response.statusCode ?? 0))
          .on("error", () => settle(0));
      });
      request.on("timeout", () => request.destroy()).on("error", () => settle(0));
    });
  }
}
