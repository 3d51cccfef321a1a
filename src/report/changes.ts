import { WHATS, type What } from "../review/table";
import type { Outcome } from "../verify/finding";
import type { AccessEntry, State } from "./state";

/** One row of the access table that is not what it was. */
export interface AccessChange {
  where: string;
  who: string;
  /** Left out: the row is new. */
  before?: AccessEntry["may"];
  /** Left out: the row is gone. */
  now?: AccessEntry["may"];
}

/** A check whose outcome is another. */
interface CheckChange {
  id: string;
  before: Outcome;
  now: Outcome;
}

export interface Changes {
  /** RFC 3339: of the report that this one is compared with. */
  since: string;
  access: AccessChange[];
  checks: CheckChange[];
}

export function changesBetween(before: State, now: State): Changes {
  return {
    since: before.takenAt,
    access: accessChanges(before.access, now.access),
    checks: Object.entries(now.checks).flatMap(([id, outcome]) => {
      const was = before.checks[id];
      return was === undefined || was === outcome ? [] : [{ id, before: was, now: outcome }];
    }),
  };
}

const keyOf = ({ where, who }: Pick<AccessEntry, "where" | "who">) => JSON.stringify([where, who]);

function accessChanges(before: readonly AccessEntry[], now: readonly AccessEntry[]): AccessChange[] {
  const was = new Map(before.map((entry) => [keyOf(entry), entry.may]));
  const is = new Set(now.map(keyOf));
  const changed = now.flatMap(({ where, who, may }): AccessChange[] => {
    const old = was.get(keyOf({ where, who }));
    if (!old) return [{ where, who, now: may }];
    return differing(old, may).length > 0 ? [{ where, who, before: old, now: may }] : [];
  });
  const gone = before.filter((entry) => !is.has(keyOf(entry)));
  return [...changed, ...gone.map(({ where, who, may }) => ({ where, who, before: may }))];
}

export const differing = (before: AccessEntry["may"], now: AccessEntry["may"]): What[] =>
  WHATS.filter((what) => before[what] !== now[what]);
