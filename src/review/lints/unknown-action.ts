import { error, type Fault, type Lint, type Linted, ruleOf } from "./finding";
import { policiesOf } from "./policies";

export const unknownAction: Lint = {
  why: "zot accepts any word and grants nothing for it",
  fix: "use read, create, update, delete or detectManifestCollision",
  find: unknownActions,
};

function unknownActions({ accessControl }: Linted): Fault[] {
  return [
    ...policiesOf(accessControl).flatMap(({ rule, policy }) => unknownIn(`${rule}.actions`, policy.actions)),
    ...[...accessControl.repositories].flatMap(([pattern, { anonymousPolicy, defaultPolicy }]) => [
      ...unknownIn(`${ruleOf(pattern)}.anonymousPolicy`, anonymousPolicy),
      ...unknownIn(`${ruleOf(pattern)}.defaultPolicy`, defaultPolicy),
    ]),
  ];
}

const ACTIONS: readonly string[] = ["read", "create", "update", "delete", "detectManifestCollision"];
const MEANT: Record<string, string> = { pull: "read", push: "create", write: "create", overwrite: "update", "*": "" };

function unknownIn(rule: string, names: readonly string[]): Fault[] {
  return names
    .filter((name) => !ACTIONS.includes(name))
    .map((name) => {
      const meant = MEANT[name.toLowerCase()] ?? ACTIONS.find((action) => alike(action, name.toLowerCase())) ?? "";
      return error(rule, `${JSON.stringify(name)} is no action${meant && `; ${meant} may be meant`}`);
    });
}

/** Same letters but for two. */
function alike(action: string, name: string): boolean {
  const missing = [...action].filter((letter) => !name.includes(letter)).length;
  const extra = [...name].filter((letter) => !action.includes(letter)).length;
  return missing + extra <= 2 && Math.abs(action.length - name.length) <= 2;
}
