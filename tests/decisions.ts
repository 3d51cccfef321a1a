import { difference, readRecording, replay } from "./recorded-decisions";

/**
 * Compares the authorizer with recorded decisions of a real zot: `node ... tests/decisions.ts FILE.jsonl...`.
 * Exits 1 if any differs.
 */
function main(files: readonly string[]): number {
  if (files.length === 0) {
    console.error("usage: decisions.ts FILE.jsonl... (a configuration, then a decision a line)");
    return 2;
  }
  const total = { agree: 0, differ: 0 };
  for (const file of files) {
    const recording = readRecording(file);
    const answer = replay(recording);
    for (const decision of recording.decisions) {
      const differs = difference(decision, answer(decision));
      total[differs === "" ? "agree" : "differ"]++;
      const { identity, action, method, path } = decision;
      if (differs !== "") console.log(`${recording.id}: ${identity} ${action} ${method} ${path}: ${differs}`);
    }
  }
  console.log(`${total.agree} agree, ${total.differ} differ`);
  return total.differ > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
