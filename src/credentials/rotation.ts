import type { ListedKey } from "./api-keys";
import type { MintedKey } from "./key-requests";

/** What the registry says of a key that the stack holds. */
export type KeyState = { alive: true; keys: ListedKey[] } | { alive: false } | undefined;

export interface RotationRule {
  /** ms. */
  rotateAfter: number;
  rotate?: string | undefined;
}

export interface Rotation {
  /** Of the key that is to be there after the run; the same as now when nothing is to be done. */
  period: number;
  /** Why another key is minted, in words; undefined when none is. */
  reason?: string;
}

/**
 * Whether an identity needs another key.
 * @param last what the stack holds, if anything
 * @param state undefined where the registry could not be asked
 */
export function planRotation(last: MintedKey | undefined, state: KeyState, rule: RotationRule, now: Date): Rotation {
  if (!last) return { period: 1 };
  const reason = whyRotate(last, state, rule, now);
  return reason ? { period: last.period + 1, reason } : { period: last.period };
}

function whyRotate(
  last: MintedKey,
  state: KeyState,
  { rotateAfter, rotate }: RotationRule,
  now: Date,
): string | undefined {
  if (new Date(last.expiresAt) <= now) return `expired on ${day(last.expiresAt)}`;
  if (state?.alive === false)
    return "is refused by the registry: somebody revoked it, the state is an older copy, or the registry's database was lost";
  if (Date.parse(last.createdAt) + rotateAfter <= now.getTime()) return `was made on ${day(last.createdAt)}`;
  if (last.rotate !== rotate) return "is to be rotated as the settings say";
  return undefined;
}

/** Keys of the account that this stack did not make. @param labels what those of its own begin with */
export function strays(keys: ListedKey[], labels: string[]): ListedKey[] {
  return keys.filter(({ label }) => !labels.some((own) => label.startsWith(own)));
}

/** The newest key of this stack, where that is not the one it holds. */
export function unknownSuccessor(keys: ListedKey[], labels: string[], held: MintedKey): ListedKey | undefined {
  const others = strays(keys, labels);
  return keys
    .filter((key) => !others.includes(key) && Date.parse(key.createdAt) > Date.parse(held.createdAt))
    .toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt))[0];
}

/** Whole days from now, rounded down: 0 on the last day, negative afterwards. */
export function daysLeft(expiresAt: string, now: Date): number {
  return Math.floor((Date.parse(expiresAt) - now.getTime()) / 86_400_000);
}

function day(time: string): string {
  return time.slice(0, 10);
}
