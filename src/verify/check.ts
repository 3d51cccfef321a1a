import type { Finding } from "./finding";
import type { Verification } from "./verification";

export interface Check {
  /** Stable, for machines. */
  id: string;
  title: string;
  /** What a registry in order answers. */
  expected: string;
  /** Sends something else than GET, so it is skipped when only reading. */
  writes?: true;
  /** Checks without which this one can tell nothing: it is skipped unless they are ok. */
  after?: readonly string[];
  observe: (verification: Verification) => Promise<Finding>;
}

export interface Result extends Finding {
  id: string;
  title: string;
  expected: string;
  milliseconds: number;
}
