import type { AccessRules } from "../../config/compile";
import type { LoadedPolicy, LoadedRepository } from "../../zot/load";
import { error, type Fault, type Lint, ruleOf, warning } from "./finding";
import { isNobody, mutableTagsAt, permitted } from "./policies";

export const tagOverwrite: Lint = {
  why: "a deployment that names this tag would get other content without notice",
  fix: "grant update only with a condition on the tags that may move (harden-zot:access.tags.mutable)",
  find: ({ accessControl: { repositories, adminPolicy }, rules }) => [
    ...[...repositories].flatMap(([pattern, repository]) => overwritesAt(pattern, repository, rules)),
    ...byAdministrators(adminPolicy, rules),
  ],
};

function overwritesAt(pattern: string, repository: LoadedRepository, rules: AccessRules): Fault[] {
  const place = ruleOf(pattern);
  const mutable = mutableTagsAt(pattern, rules);
  const general = (["defaultPolicy", "anonymousPolicy"] as const)
    .filter((list) => repository[list].includes("update"))
    .map((list) => error(`${place}.${list}`, "update without a condition on the tag"));
  const named = repository.policies.flatMap((policy, index) => {
    const what = permitted(policy, "update", pattern, mutable);
    if (what === undefined || isNobody(policy)) return [];
    const who = [...policy.users, ...policy.groups].join(", ");
    const say = isBreakGlass(policy, rules) ? warning : error;
    return [say(`${place}.policies[${index}]`, `${who} may overwrite ${what}`)];
  });
  return [...general, ...named];
}

/** It holds in every repository. */
function byAdministrators(adminPolicy: LoadedPolicy, rules: AccessRules): Fault[] {
  const some = permitted(adminPolicy, "update", "**", rules.access.tags.mutable);
  const what = some && adminPolicy.conditions.length === 0 ? "every tag" : some;
  if (what === undefined || isNobody(adminPolicy)) return [];
  if (isBreakGlass(adminPolicy, rules)) return [warning("adminPolicy", `break-glass may overwrite ${what}`)];
  return [error("adminPolicy", `${[...adminPolicy.users, ...adminPolicy.groups].join(", ")} may overwrite ${what}`)];
}

const isBreakGlass = ({ users, groups }: LoadedPolicy, { access }: AccessRules) =>
  users.length === 0 && groups.every((group) => group === access.admins.group);
