/** One size of one step. */
export interface Point {
  n: number;
  /** CPU seconds, user and system. */
  cpu: number;
  /** Of them Pulumi's engine's own; left out where it does not run. */
  engine?: number;
  /** Seconds by the clock. */
  wall: number;
  /** Peak resident memory in MB; left out where it was not measured. */
  memory?: number;
}

export interface Series {
  step: string;
  /** What n counts. */
  axis: "identities" | "patterns" | "hosts";
  points: Point[];
}

/**
 * An exponent above this is worse than linear. n log n reads as 1.17 between 100 and 1,000, n squared as 2; the rest is for
 * the noise of a busy machine.
 */
export const TOLERANCE = 1.25;

/** Sizes from this share of the largest on are fitted: below, what does not grow hides what does. */
const UPPER = 0.1;

/** CPU seconds that a step must gain over its smallest size for its growth to be more than noise, and the share of it. */
const NOTICEABLE = { seconds: 0.02, share: 0.1 };

/**
 * k of t = t(smallest) + b (n - smallest)^k, by least squares in log-log over the upper range; t is without the engine, which
 * writes its whole state after every resource and is not ours.
 * @returns undefined: it does not grow by as much as can be measured, or at the largest size alone
 */
export function exponent({ points }: Series): number | undefined {
  const own = points.map(({ n, cpu, engine = 0 }) => ({ n, cpu: cpu - engine })).sort((a, b) => a.n - b.n);
  const [smallest, ...larger] = own;
  const largest = larger.at(-1);
  if (!smallest || !largest) return undefined;
  const least = Math.max(NOTICEABLE.seconds, NOTICEABLE.share * smallest.cpu);
  const fitted = larger
    .filter(({ n, cpu }) => n >= largest.n * UPPER && cpu - smallest.cpu >= least)
    .map(({ n, cpu }) => ({ x: Math.log(n - smallest.n), y: Math.log(cpu - smallest.cpu) }));
  if (fitted.length < 2) return undefined;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x0, y0] = [mean(fitted.map(({ x }) => x)), mean(fitted.map(({ y }) => y))];
  const spread = fitted.reduce((sum, { x }) => sum + (x - x0) ** 2, 0);
  return fitted.reduce((sum, { x, y }) => sum + (x - x0) * (y - y0), 0) / spread;
}
