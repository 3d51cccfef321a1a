import type { LoadedRepository } from "../../zot/load";
import { error, type Fault, type Lint, ruleOf } from "./finding";
import { isAnonymous } from "./policies";

export const anonymousWrite: Lint = {
  why: "anyone who reaches the registry could push into it or empty it",
  fix: 'keep anonymousPolicy at ["read"] and name no user ""',
  find: ({ accessControl: { repositories, adminPolicy } }) => [
    ...[...repositories].flatMap(([pattern, repository]) => writesAt(pattern, repository)),
    ...(isAnonymous(adminPolicy) ? [error("adminPolicy", "anonymous clients are administrators")] : []),
  ],
};

function writesAt(pattern: string, { anonymousPolicy, policies }: LoadedRepository): Fault[] {
  return [
    ...writes(`${ruleOf(pattern)}.anonymousPolicy`, anonymousPolicy),
    ...policies.flatMap((policy, index) =>
      isAnonymous(policy) ? writes(`${ruleOf(pattern)}.policies[${index}]`, policy.actions) : [],
    ),
  ];
}

const WRITES = ["create", "update", "delete"];

const writes = (rule: string, actions: readonly string[]) =>
  actions.filter((action) => WRITES.includes(action)).map((action) => error(rule, `anonymous clients may ${action}`));
