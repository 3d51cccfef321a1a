import type { RawConfig } from "../../src/zot/file/schema";

type Settings = NonNullable<RawConfig["http"]>["ratelimit"];

/** Token buckets of one second, for the whole process: one for every request, one per limited method. */
export class RateLimiter {
  private readonly buckets: { method: string | undefined; rate: number; tokens: number; filledAt: number }[];

  constructor(settings: Settings) {
    const limits = [
      ...(settings?.rate === undefined ? [] : [{ method: undefined, rate: settings.rate }]),
      ...(settings?.methods ?? []).map(({ method, rate = 0 }) => ({ method, rate })),
    ];
    this.buckets = limits.map((limit) => ({ ...limit, tokens: limit.rate, filledAt: Date.now() }));
  }

  admits(method: string): boolean {
    return this.buckets
      .filter((bucket) => bucket.method === undefined || bucket.method === method)
      .every((bucket) => {
        const now = Date.now();
        bucket.tokens = Math.min(bucket.rate, bucket.tokens + ((now - bucket.filledAt) / 1000) * bucket.rate);
        bucket.filledAt = now;
        if (bucket.tokens < 1) return false;
        bucket.tokens -= 1;
        return true;
      });
  }
}
