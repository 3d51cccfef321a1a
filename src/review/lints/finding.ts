import type { AccessRules } from "../../config/compile";
import type { LINTS } from "../../settings/access";
import type { LoadedAccessControl } from "../../zot/load";
import type { ZotConfig } from "../../zot/types";

export type LintName = (typeof LINTS)[number];

/** A rule that does not do what it seems to, or does what nobody should want. */
export interface Finding extends Fault {
  lint: LintName;
}

/** What one lint says of one rule. */
export interface Fault {
  /** An error stops an `up` unless accepted; a warning is shown at every run, a note by `make adopt` alone. */
  severity: "error" | "warning" | "note";
  /** Path within http.accessControl. */
  rule: string;
  what: string;
}

/** One kind of fault: `why` and `fix` are said after every finding of it, and begin in lower case. */
export interface Lint {
  why: string;
  fix: string;
  find(linted: Linted): Fault[];
}

/** What every lint looks at: a configuration that has access rules. */
export interface Linted {
  config: ZotConfig;
  /** What zot's loader makes of the rules. */
  accessControl: LoadedAccessControl;
  /** storage.dedupe, as zot has it. */
  dedupe: boolean;
  rules: AccessRules;
}

export const error = (rule: string, what: string): Fault => ({ severity: "error", rule, what });
export const warning = (rule: string, what: string): Fault => ({ severity: "warning", rule, what });
export const note = (rule: string, what: string): Fault => ({ severity: "note", rule, what });

export const ruleOf = (pattern: string) => `repositories[${JSON.stringify(pattern)}]`;
