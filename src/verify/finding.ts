/** failed: not as it should be. warning: works as zot does, and the operator should know. skipped: not looked at, with the reason. */
export type Outcome = "ok" | "warning" | "failed" | "skipped";

export interface Finding {
  outcome: Outcome;
  /** What was seen, in one line; for skipped, why. */
  seen: string;
  /** Why that is, and what to do; for warning and failed. */
  cause?: string;
  fix?: string;
}

export const ok = (seen: string): Finding => ({ outcome: "ok", seen });
export const skipped = (seen: string): Finding => ({ outcome: "skipped", seen });
export const failed = (seen: string, cause: string, fix: string): Finding => ({ outcome: "failed", seen, cause, fix });
export const warning = (seen: string, cause: string, fix: string): Finding => ({
  outcome: "warning",
  seen,
  cause,
  fix,
});

/** Ends a check as skipped from anywhere inside it. */
export class Skip extends Error {}
