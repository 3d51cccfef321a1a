import type { AccessRules } from "../config/compile";
import { OperatorError } from "../operator/error";
import { createAuthorizer, type Decision, type Identity } from "../zot/authorizer";
import type { ZotConfig } from "../zot/types";
import { ACTION_OF, accessTable, WHATS, type What } from "./table";

export interface Question {
  /** A label of the table, such as `anonymous`, `zot-ci` or `group admins`; a group's bare name will do. */
  who: string;
  does: string;
  /** `repository`, `repository:tag` or `repository@digest`. */
  what: string;
}

export interface Answer {
  yes: boolean;
  /** One line: what, why, by which rule. */
  text: string;
}

/**
 * Answers as zot would. A push needs the permission to upload blobs too, which has no reference.
 * @throws OperatorError for a question that makes no sense
 */
export function answer(config: ZotConfig, rules: Pick<AccessRules, "access" | "ci">, question: Question): Answer {
  const does = WHATS.find((known) => known === question.does);
  if (does === undefined) throw new OperatorError(`DO=${question.does}: must be one of: ${WHATS.join(", ")}`);
  const { repository, reference } = partsOf(question.what, does);
  const authorizer = createAuthorizer(config);
  const identity = identityOf(config, rules, question.who);
  const references = does === "push" || does === "overwrite" ? ["", reference] : [reference];
  const asked = references.map((reference, index) => {
    const action = index < references.length - 1 ? "create" : ACTION_OF[does];
    return { action, decision: authorizer.can(identity, { repository, action, reference }) };
  });
  const last = asked.find(({ decision }) => !decision.allowed || decision.ambiguous) ?? asked.at(-1);
  if (last === undefined) throw new RangeError("no permission to ask for");
  return {
    yes: last.decision.allowed && !last.decision.ambiguous,
    text: wording(question, does, last.action, last.decision),
  };
}

function wording({ who, what }: Question, does: What, action: string, decision: Decision): string {
  const { rule = "", ambiguous } = decision;
  if (ambiguous)
    return `undefined: zot takes any of ${ambiguous.join(", ")}, which are equally long and differ for ${what}`;
  if (decision.allowed) return `yes: ${who} may ${does} ${what} (${action}, by ${rule})`;
  const reason = decision.reason ? `: ${decision.reason}` : "";
  return `no: ${who} may not ${does} ${what}: ${decision.status} ${decision.code}${reason} (${action}, by ${rule})`;
}

function partsOf(what: string, does: What): { repository: string; reference: string } {
  const [, repository = "", reference = ""] = /^([a-z0-9][a-z0-9._/-]*)(?:[:@](.+))?$/.exec(what) ?? [];
  if (repository === "") {
    throw new OperatorError(`WHAT=${what}: must be a repository, repository:tag or repository@digest, in lower case`);
  }
  if (reference === "" && does !== "pull") throw new OperatorError(`WHAT=${what}: name a tag too, ${what}:latest`);
  return { repository, reference };
}

function identityOf(config: ZotConfig, rules: Pick<AccessRules, "access" | "ci">, who: string): Identity {
  const people = [...new Map(accessTable(config, rules).rows.map((row) => [row.who.label, row.who])).values()];
  const found = people.find(({ label }) => [who, `group ${who}`, `user ${who}`].includes(label));
  if (found === undefined) {
    throw new OperatorError(
      `WHO=${who}: no rule tells them apart; known: ${people.map(({ label }) => label).join(", ")}`,
    );
  }
  if (found.name === "") return { kind: "anonymous" };
  return { kind: "user", name: found.name, groups: found.groups, via: "apikey" };
}
