import type { AccessRules } from "../../config/compile";
import { withoutProof } from "../../config/proof";
import { OperatorError } from "../../operator/error";
import { loadConfig } from "../../zot/load";
import type { ZotConfig } from "../../zot/types";
import { anonymousWrite } from "./anonymous-write";
import { badCondition } from "./bad-condition";
import { cacheWritable } from "./cache-writable";
import { droppedRule, NO_RULES } from "./dropped-rule";
import { everyonePushes } from "./everyone-pushes";
import type { Finding, Lint, LintName } from "./finding";
import { grantLost } from "./grant-lost";
import { groupCase } from "./group-case";
import { headCreates } from "./head-creates";
import { noAdministrator } from "./no-administrator";
import { sharedGroup } from "./shared-group";
import { tagOverwrite } from "./tag-overwrite";
import { tagReplace } from "./tag-replace";
import { tiedPatterns } from "./tied-patterns";
import { unknownAction } from "./unknown-action";
import { zotTooOld } from "./zot-too-old";

/** In the order of findings: what a rule says, then what the rules come to once zot has chosen among them. */
const BY_NAME = {
  "dropped-rule": droppedRule,
  "group-case": groupCase,
  "unknown-action": unknownAction,
  "bad-condition": badCondition,
  "zot-too-old": zotTooOld,
  "anonymous-write": anonymousWrite,
  "everyone-pushes": everyonePushes,
  "shared-group": sharedGroup,
  "tag-overwrite": tagOverwrite,
  "tag-replace": tagReplace,
  "no-administrator": noAdministrator,
  "cache-writable": cacheWritable,
  "tied-patterns": tiedPatterns,
  "grant-lost": grantLost,
  "head-creates": headCreates,
} satisfies Record<LintName, Lint>;

/**
 * Examines the access rules of a whole zot configuration, extraConfig included, against what the settings ask for.
 */
export function lintAccess(whole: ZotConfig, rules: AccessRules): Finding[] {
  const config = withoutProof(whole);
  const { accessControl, dedupe } = loadConfig(config);
  if (accessControl === undefined) return [{ lint: "dropped-rule", ...NO_RULES }];
  const linted = { config, accessControl, dedupe, rules };
  const findings = (Object.keys(BY_NAME) as LintName[]).flatMap((lint) =>
    BY_NAME[lint].find(linted).map((fault): Finding => ({ lint, ...fault })),
  );
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
  const { fix } = BY_NAME[finding.lint];
  return `${describeFault(finding)}. ${fix[0]?.toUpperCase()}${fix.slice(1)}, or accept it knowingly with harden-zot:access.accept: [${finding.lint}]`;
}

/** Without a word on what to do. */
export function describeFault({ lint, rule, what }: Finding): string {
  return `${lint}: ${rule}: ${what}; ${BY_NAME[lint].why}`;
}
