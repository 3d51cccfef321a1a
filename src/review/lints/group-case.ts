import { error, type Fault, type Lint, type Linted, ruleOf } from "./finding";
import { policiesOf } from "./policies";

export const groupCase: Lint = {
  why: "zot lower-cases the keys of its configuration and compares names as they are, so the two never meet",
  fix: "write the name the same everywhere, and keys in lower case",
  find: (linted) => [...keys(linted), ...names(linted)],
};

function keys({ config }: Linted): Fault[] {
  const { groups, repositories } = config.http.accessControl ?? {};
  const notLower = (of: object | undefined) => Object.keys(of ?? {}).filter((key) => key !== key.toLowerCase());
  return [
    ...notLower(groups).map((group) => error(`groups[${JSON.stringify(group)}]`, `becomes ${group.toLowerCase()}`)),
    ...notLower(repositories).map((pattern) => error(ruleOf(pattern), `becomes ${pattern.toLowerCase()}`)),
  ];
}

/** Groups that the settings write in another case. */
function names({ accessControl, rules: { access, ci } }: Linted): Fault[] {
  const known = new Set([access.admins, ...ci, ...access.groups].map(({ group }) => group));
  const byFolded = new Map([...known].map((name) => [name.toLowerCase(), name]));
  return policiesOf(accessControl).flatMap(({ rule, policy }) =>
    policy.groups
      .filter((group) => !known.has(group) && byFolded.has(group.toLowerCase()))
      .map((group) => error(`${rule}.groups`, `names ${group}, and the settings ${byFolded.get(group.toLowerCase())}`)),
  );
}
