import { type Lint, warning } from "./finding";

export const sharedGroup: Lint = {
  why: "zot gives rights to groups, so that each of them has what the other was given",
  fix: "give each its own group",
  find: ({ rules: { ci } }) => {
    const shared = ci.flatMap((one, index) => ci.slice(index + 1).map((other) => [one, other] as const));
    return shared
      .filter(([one, other]) => one.group === other.group && rightsOf(one) !== rightsOf(other))
      .map(([one, other]) =>
        warning(
          `group ${one.group}`,
          `${one.name} (${rightsOf(one)}) and ${other.name} (${rightsOf(other)}) have each other's rights`,
        ),
      );
  },
};

const rightsOf = ({ repositories, role }: { repositories: string[]; role: string }) =>
  `${role} of ${[...repositories].sort().join(", ")}`;
