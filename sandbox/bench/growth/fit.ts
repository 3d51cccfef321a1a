/** One size of one step. */
export interface Point {
  n: number;
  /** CPU seconds, user and system. */
  cpu: number;
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

/** CPU seconds that a step must gain over its smallest size for its growth to be more than noise. */
const NOTICEABLE = 0.02;

/**
 * k of t = t(smallest) + b (n - smallest)^k, by least squares in log-log over the upper range.
 * @returns undefined: it does not grow by as much as can be measured
 */
export function exponent({ points }: Series): number | undefined {
  const [smallest, ...larger] = points.toSorted((a, b) => a.n - b.n);
  const largest = larger.at(-1);
  if (!smallest || !largest || largest.cpu - smallest.cpu < NOTICEABLE) return undefined;
  const fitted = larger
    .filter(({ n, cpu }) => n >= largest.n * UPPER && cpu > smallest.cpu)
    .map(({ n, cpu }) => ({ x: Math.log(n - smallest.n), y: Math.log(cpu - smallest.cpu) }));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x0, y0] = [mean(fitted.map(({ x }) => x)), mean(fitted.map(({ y }) => y))];
  const spread = fitted.reduce((sum, { x }) => sum + (x - x0) ** 2, 0);
  if (spread === 0) throw new RangeError("two sizes within the upper range are needed for an exponent");
  return fitted.reduce((sum, { x, y }) => sum + (x - x0) * (y - y0), 0) / spread;
}
