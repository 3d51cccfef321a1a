import { ConditionError, compileCondition } from "../../../src/zot/cel";
import type { RawAccessControl, RawPolicy } from "../../../src/zot/file/schema";

/** Where the first condition is that does not compile, and why, in zot's words (zot 2.1.20, CompileAccessControl). */
export function findBadCondition({ repositories = {}, adminPolicy }: RawAccessControl): string | undefined {
  for (const [pattern, { policies = [] }] of Object.entries(repositories)) {
    for (const [index, policy] of policies.entries()) {
      const problem = problemOf(policy, `repositories[${JSON.stringify(pattern)}].policies[${index}]`);
      if (problem !== undefined) return problem;
    }
  }
  return problemOf(adminPolicy ?? {}, "adminPolicy");
}

function problemOf({ conditions = [] }: RawPolicy, place: string): string | undefined {
  for (const [index, { expression = "" }] of conditions.entries()) {
    try {
      compileCondition(expression);
    } catch (error) {
      if (!(error instanceof ConditionError)) throw error;
      return `${place}: condition[${index}]: failed to parse the CEL expression '${expression}': ERROR: ${error.message}`;
    }
  }
  return undefined;
}
