import type { AccessRules } from "../../config/compile";
import { withoutProof } from "../../config/proof";
import { OperatorError } from "../../operator/error";
import type { LINTS } from "../../settings/access";
import { type LoadedConfig, loadConfig } from "../../zot/load";
import type { ZotConfig } from "../../zot/types";
import { lintEffect } from "./effect";
import { lintText } from "./text";

export type LintName = (typeof LINTS)[number];

/** A rule that does not do what it seems to, or does what nobody should want. */
export interface Finding {
  lint: LintName;
  /** An error stops an `up` unless accepted; a warning is shown at every run, a note by `make adopt` alone. */
  severity: "error" | "warning" | "note";
  /** Path within http.accessControl. */
  rule: string;
  what: string;
}

/** What every lint looks at. */
export interface Linted {
  config: ZotConfig;
  loaded: LoadedConfig;
  rules: AccessRules;
}

interface Advice {
  why: string;
  fix: string;
}

const ADVICE: Record<LintName, Advice> = {
  "anonymous-write": {
    why: "anyone who reaches the registry could push into it or empty it",
    fix: 'keep anonymousPolicy at ["read"] and name no user ""',
  },
  "tag-overwrite": {
    why: "a deployment that names this tag would get other content without notice",
    fix: "grant update only with a condition on the tags that may move (harden-zot:access.tags.mutable)",
  },
  "tag-replace": {
    why: "delete followed by create is an overwrite, so the tag is not immutable",
    fix: "give delete to a group that may not push",
  },
  "cache-writable": {
    why: "what is pushed there is served as if it came from upstream",
    fix: "grant create and update only outside of the cache's namespace",
  },
  "no-administrator": {
    why: "a bad push or a leaked image could not be removed by anybody",
    fix: 'let adminPolicy name a group or user with at least the actions "read" and "delete"',
  },
  "grant-lost": {
    why: "zot applies the longest matching pattern alone, and that one does not restate the grant",
    fix: "restate the grant there, or say the rule in harden-zot:access instead of extraConfig",
  },
  "tied-patterns": {
    why: "of equally long patterns zot takes any one, anew for every request",
    fix: "make one of them longer: {}team/** is team/** and two bytes longer",
  },
  "group-case": {
    why: "zot lower-cases the keys of its configuration and compares names as they are, so the two never meet",
    fix: "write the name the same everywhere, and keys in lower case",
  },
  "unknown-action": {
    why: "zot accepts any word and grants nothing for it",
    fix: "use read, create, update, delete or detectManifestCollision",
  },
  "bad-condition": {
    why: "zot refuses to start with it, or skips the policy whenever it cannot be evaluated",
    fix: "correct the expression; it sees req.tag, req.digest, req.reference, req.referenceType, req.repository, req.action, req.user.username, req.user.groups, req.auth, req.client, req.tls, req.claims, req.method, req.userAgent and req.time",
  },
  "zot-too-old": {
    why: "an older zot refuses the configuration, or reads past the rule",
    fix: "upgrade zot and set harden-zot:registry.version",
  },
  "dropped-rule": {
    why: "zot's loader drops empty objects, and of keys that differ in case alone it keeps any one",
    fix: 'close a pattern with {"policies": []}, and name every key once',
  },
  "head-creates": {
    why: "before zot 2.1.21 a HEAD for a blob that zot knows then creates the repository asked about, also by anonymous clients",
    fix: "upgrade zot, or set harden-zot:registry.storage.dedupe: false at the price of disk space",
  },
};

/**
 * Examines the access rules of a whole zot configuration, extraConfig included, against what the settings ask for.
 */
export function lintAccess(whole: ZotConfig, rules: AccessRules): Finding[] {
  const config = withoutProof(whole);
  const subject: Linted = { config, loaded: loadConfig(config), rules };
  const findings = [...lintText(subject), ...lintEffect(subject)];
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

/**
 * @returns the warnings, to be shown
 * @throws OperatorError that lists every error whose lint is not accepted
 */
export function requireSound(config: ZotConfig, rules: AccessRules): Finding[] {
  const findings = lintAccess(config, rules).filter(({ lint }) => !rules.access.accept.includes(lint));
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    throw new OperatorError(
      `the access rules are not safe to apply:\n${errors.map((finding) => `  - ${describeFinding(finding)}`).join("\n")}`,
    );
  }
  return findings.filter(({ severity }) => severity === "warning");
}

/** One line: which rule, what it does, why that matters, how to mend or accept it. */
export function describeFinding(finding: Finding): string {
  const { fix } = ADVICE[finding.lint];
  return `${describeFault(finding)}. ${fix[0]?.toUpperCase()}${fix.slice(1)}, or accept it knowingly with harden-zot:access.accept: [${finding.lint}]`;
}

/** Without a word on what to do. */
export function describeFault({ lint, rule, what }: Finding): string {
  return `${lint}: ${rule}: ${what}; ${ADVICE[lint].why}`;
}
