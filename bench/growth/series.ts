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

/** Above this a step is worse than linear: ten times as much takes 10 times as long, or 15 where it is n log n; the rest is noise. */
export const TOLERANCE = 20;

/** CPU seconds that a tenth must gain over the smallest size to be more than noise, and the share of it. */
const NOTICEABLE = { seconds: 0.02, share: 0.1 };

/**
 * How many times as much CPU the largest size takes as a tenth of it, beyond what the smallest takes; without the engine, which writes
 * its whole state after every resource and is not ours.
 * @returns undefined: no tenth of it was measured, or that gains too little to tell
 */
export function growth({ points }: Series): number | undefined {
  const [smallest, ...larger] = points.map(({ n, cpu, engine = 0 }) => ({ n, cpu: cpu - engine }));
  const largest = larger.at(-1);
  const tenth = larger.find(({ n }) => n * 10 === largest?.n);
  if (!smallest || !largest || !tenth) return undefined;
  if (tenth.cpu - smallest.cpu < Math.max(NOTICEABLE.seconds, NOTICEABLE.share * smallest.cpu)) return undefined;
  return (largest.cpu - smallest.cpu) / (tenth.cpu - smallest.cpu);
}
