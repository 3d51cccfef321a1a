import type { AccessRules } from "../../config/compile";
import type { LoadedPolicy, LoadedRepository } from "../../zot/load";
import { error, type Fault, type Lint, ruleOf } from "./finding";
import { mutableTagsAt, permitted, whoIn } from "./policies";

export const tagReplace: Lint = {
  why: "delete followed by create is an overwrite, so the tag is not immutable",
  fix: "give delete to a group that may not push",
  find: ({ accessControl: { adminPolicy, repositories }, rules }) => [
    ...[...repositories].flatMap(([pattern, repository]) => replacementsAt(pattern, repository, rules)),
    ...byAdministrators(adminPolicy, [...repositories.values()], rules),
  ],
};

/** Who is not break-glass may delete everywhere by adminPolicy, and push by it or in some place. */
function byAdministrators(adminPolicy: LoadedPolicy, places: LoadedRepository[], rules: AccessRules): Fault[] {
  if (permitted(adminPolicy, "delete", "**", rules.access.tags.mutable) === undefined) return [];
  const pushing = [adminPolicy, ...places.flatMap(({ policies }) => policies)].filter(({ actions }) =>
    actions.includes("create"),
  );
  const deleters = new Set(whoIn(adminPolicy));
  const creators = new Set(pushing.flatMap(whoIn));
  const everyone = places.some(({ defaultPolicy }) => defaultPolicy.includes("create"));
  const admins = `group ${rules.access.admins.group}`;
  return [
    ...[...deleters].filter((name) => name !== admins && (everyone || creators.has(name))),
    ...throughTheirGroup(rules, deleters, creators),
  ].map((name) => error("adminPolicy", `${name} may delete a tag and push it anew`));
}

/** The same group or user may delete and create. */
function replacementsAt(pattern: string, { policies, defaultPolicy }: LoadedRepository, rules: AccessRules): Fault[] {
  const mutable = mutableTagsAt(pattern, rules);
  const deleting = policies.filter((policy) => permitted(policy, "delete", pattern, mutable) !== undefined);
  const pushing = policies.filter(({ actions }) => actions.includes("create"));
  const deleters = new Set(deleting.flatMap(whoIn));
  const creators = new Set(pushing.flatMap(whoIn));
  const everyone = defaultPolicy.includes("create");
  const admins = `group ${rules.access.admins.group}`;
  const both = [
    ...[...deleters].filter((name) => name !== admins && (everyone || creators.has(name))),
    ...throughTheirGroup(rules, deleters, creators),
  ];
  const generally = defaultPolicy.includes("delete") && (everyone || creators.size > 0) ? ["everyone logged in"] : [];
  return [...both, ...generally].map((name) => error(ruleOf(pattern), `${name} may delete a tag and push it anew`));
}

/** Accounts that may do the one by name, and the other through their group. */
function throughTheirGroup(
  { ci }: AccessRules,
  deleters: ReadonlySet<string>,
  creators: ReadonlySet<string>,
): string[] {
  return ci
    .map(({ name, group }) => ({ name, names: whoIn({ users: [name], groups: [group] }) }))
    .filter(({ names }) => names.some((name) => deleters.has(name)) && names.some((name) => creators.has(name)))
    .filter(({ names }) => !names.some((name) => deleters.has(name) && creators.has(name)))
    .map(({ name }) => `user ${name}`);
}
