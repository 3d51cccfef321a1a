export type Change = "rule change" | "rotation" | "issuer outage" | "service restart" | "host reboot";

export interface Planned {
  change: Change;
  /** Seconds from the start. */
  at: number;
}

export interface Timeline {
  /** Of the whole run. */
  seconds: number;
  /** How long the issuer is away at least. */
  outage: number;
  /** In the order in which they are due; carried out one after the other. */
  changes: Planned[];
}

/** Seconds between two of a kind, in a run that is long enough. */
const RULE_PERIOD = 20;
const ROTATION_PERIOD = 60;
const OUTAGE = 20;

/**
 * What happens when. A short run has shorter periods, so that nothing is left out of it.
 * @param seconds of the whole run
 */
export function timeline(seconds: number): Timeline {
  const rule = Math.min(RULE_PERIOD, seconds / 5);
  const rotation = Math.min(ROTATION_PERIOD, seconds / 2.5);
  const changes: Planned[] = [
    ...every(rule, rule, seconds, "rule change"),
    // Between two changes of the rules.
    ...every(rotation - rule / 2, rotation, seconds, "rotation"),
    { change: "issuer outage", at: seconds * 0.45 },
    { change: "service restart", at: seconds * 0.55 },
    { change: "host reboot", at: seconds * 0.75 },
  ];
  return { seconds, outage: Math.min(OUTAGE, seconds / 12), changes: changes.sort((a, b) => a.at - b.at) };
}

function every(first: number, period: number, end: number, change: Change): Planned[] {
  const count = Math.ceil((end - first) / period);
  return Array.from({ length: count }, (_, index) => ({ change, at: first + index * period }));
}

/**
 * Whether a change that is due is left out: the next of its kind is due too. So those that take longer than their period
 * never pile up, and the last of each kind takes place.
 * @param index of the change
 * @param now seconds from the start
 */
export function overtaken(changes: readonly Planned[], index: number, now: number): boolean {
  const kind = changes[index]?.change;
  return changes.slice(index + 1).some(({ change, at }) => change === kind && at <= now);
}
