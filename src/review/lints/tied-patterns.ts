import { overlap } from "../../config/patterns";
import { error, type Fault, type Lint, ruleOf } from "./finding";

export const tiedPatterns: Lint = {
  why: "of equally long patterns zot takes any one, anew for every request",
  fix: "make one of them longer: {}team/** is team/** and two bytes longer",
  find: ({ accessControl: { repositories } }) => ties([...repositories.keys()]),
};

function ties(patterns: readonly string[]): Fault[] {
  const byLength = new Map<number, string[]>();
  for (const pattern of patterns) {
    const length = Buffer.byteLength(pattern);
    byLength.set(length, [...(byLength.get(length) ?? []), pattern]);
  }
  return [...byLength.values()].flatMap((equals) =>
    equals.flatMap((pattern, index) =>
      equals
        .slice(index + 1)
        .filter((other) => overlap(pattern, other))
        .map((other) => error(ruleOf(pattern), `is as long as ${other} and can match the same repository`)),
    ),
  );
}
