/** As the suite says it, with "absent" for a test that was not run: what it needs did not come about. */
type Outcome = "Pass" | "FAIL" | "Skip" | "Disabled" | "Error" | "absent";

/** One test. Several may have one name: a blob is pulled for each layer. */
export interface Test {
  name: string;
  outcome: Outcome;
  /** What the suite says of it; digests and upload sessions, other ones in every run, left out. */
  error: string;
}

export interface SuiteResult {
  tests: Test[];
  /** As the suite adds them up: a test of two steps, such as a delete that is to be gone at once, counts as two. */
  totals: Record<Exclude<Outcome, "absent">, number>;
}

/** A test that ended otherwise than on the other registry. */
export interface Difference {
  name: string;
  open: Outcome;
  here: Outcome;
  error: string;
}

/** Why some differences are as we want them. */
export interface Explanation {
  tests: RegExp;
  here: Outcome;
  /** What the suite must have said; left out, nothing. */
  error?: RegExp;
  because: string;
}

const SUITE = "OCI Conformance Test/";
const TEST = /^( *)OCI Conformance Test\/(.*): (Pass|FAIL|Skip|Disabled|Error|Unknown)$/;
const TOTAL = /^ {2}(Pass|FAIL|Skip|Disabled|Error)\.+: +(\d+)$/gm;

/**
 * What the suite prints: the tests as an indented tree, errors under its leaves, its configuration, totals.
 * @param errors its other stream, for the message
 * @throws when it is not complete, or what failed is not what the totals say
 */
export function parseOutcomes(output: string, errors: string): SuiteResult {
  const [tree = "", rest] = output.split(/^Configuration:$/m);
  const summary = /^OCI Conformance Result: .*\n((?: {2}.*\n)+)/m.exec(rest ?? "")?.[1];
  if (!tree.includes(SUITE) || summary === undefined) {
    throw new Error(`the OCI conformance suite tested nothing: ${`${errors}${output}`.trim().slice(-500)}`);
  }
  const totals = Object.fromEntries([...summary.matchAll(TOTAL)].map(([, outcome, count]) => [outcome, Number(count)]));
  const result = { tests: leavesOf(tree), totals: totals as SuiteResult["totals"] };
  // A test of two steps counts as two, so the numbers need not be equal.
  for (const outcome of ["FAIL", "Error"] as const) {
    const read = result.tests.filter((test) => test.outcome === outcome).length;
    if (read <= result.totals[outcome] && read > 0 === result.totals[outcome] > 0) continue;
    throw new Error(
      `the OCI conformance suite counts ${result.totals[outcome]} tests as ${outcome}, and lists ${read}`,
    );
  }
  return result;
}

function leavesOf(tree: string): Test[] {
  const nodes: (Test & { depth: number; leaf: boolean })[] = [];
  for (const line of tree.split("\n")) {
    const [, indent, name, outcome] = TEST.exec(line) ?? [];
    const last = nodes.at(-1);
    if (indent !== undefined && name !== undefined) {
      if (last && last.depth < indent.length) last.leaf = false;
      nodes.push({ name, outcome: outcome as Outcome, error: "", depth: indent.length, leaf: true });
    } else if (last) {
      last.error = `${last.error} ${line.replace(/^ *- /, "").trim()}`.trim();
    }
  }
  return nodes
    .filter(({ leaf }) => leaf)
    .map(({ name, outcome, error }) => ({ name, outcome, error: withoutNames(error) }));
}

const withoutNames = (error: string) =>
  error.replace(/sha(256|512):[0-9a-f]+/g, "DIGEST").replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "SESSION");

/**
 * Tests of one name come in no order, so what counts is how many of them ended how, and with which words.
 * @param open left out: as if every test had passed
 */
export function differences(here: readonly Test[], open?: readonly Test[]): Difference[] {
  const other = open ?? here.map(({ name }): Test => ({ name, outcome: "Pass", error: "" }));
  const names = [...new Set([...other, ...here].map(({ name }) => name))];
  return names.flatMap((name) => {
    const [there, now] = [other, here].map((tests) => tests.filter((test) => test.name === name)) as [Test[], Test[]];
    const gone = without(there, now);
    const come = without(now, there);
    return Array.from({ length: Math.max(gone.length, come.length) }, (_, index) => ({
      name,
      open: gone[index]?.outcome ?? "absent",
      here: come[index]?.outcome ?? "absent",
      error: come[index]?.error ?? "",
    }));
  });
}

/** The first list less the second, each of which takes one away. */
function without(tests: readonly Test[], taken: readonly Test[]): Test[] {
  const left = [...tests];
  for (const { outcome, error } of taken) {
    const index = left.findIndex((test) => test.outcome === outcome && test.error === error);
    if (index >= 0) left.splice(index, 1);
  }
  return left;
}

export interface Explained {
  /** In the order of the explanations. */
  explained: { because: string; differences: Difference[] }[];
  unexplained: Difference[];
  /** Explanations of nothing: something has changed that they were about. */
  stale: Explanation[];
}

/** Each difference with the first explanation that fits it. */
export function explain(found: readonly Difference[], explanations: readonly Explanation[]): Explained {
  const fits = ({ tests, here, error = /^$/ }: Explanation, difference: Difference) =>
    tests.test(difference.name) && here === difference.here && error.test(difference.error);
  const by = new Map(explanations.map((explanation) => [explanation, [] as Difference[]]));
  const unexplained: Difference[] = [];
  for (const difference of found) {
    const first = explanations.find((explanation) => fits(explanation, difference));
    (first ? (by.get(first) as Difference[]) : unexplained).push(difference);
  }
  const used = [...by].filter(([, differences]) => differences.length > 0);
  return {
    explained: used.map(([{ because }, differences]) => ({ because, differences })),
    unexplained,
    stale: explanations.filter((explanation) => by.get(explanation)?.length === 0),
  };
}
