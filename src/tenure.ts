import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { LastResource } from "./last-state";

/**
 * Whose a host or an identity's keys are, and since when. Pulumi deletes what it has replaced after everything else, with the
 * very words of what replaced it. So the resource that says farewell prints a tenure when it is created, is handed it again
 * when it is deleted, and acts only for the tenure that is on record by then.
 */
export interface Tenure {
  /** Outlives renames of the stack, of the host and of its address: made once, kept in the state. */
  owner: string;
  /** Tells one life of a resource from the next. */
  life: string;
}

/** Name of the resource that prints a tenure, and says farewell. */
export const tenureResource = (name: string) => `${name}-tenure`;

/** For a resource that is created: another life each time. */
export function beginTenure(owner: string): Tenure {
  return { owner, life: randomBytes(6).toString("hex") };
}

/** The owner on record in the state; a stack that has none yet gets one. The stack's name in it is for people to read. */
export function ownerIn(last: LastResource[], stack: string): string {
  for (const { name, type, outputs } of last) {
    if (type !== "command:local:Command" || !name.endsWith(tenureResource(""))) continue;
    const { owner } = JSON.parse((outputs.stdout as string) || "{}") as Partial<Tenure>;
    if (owner) return owner;
  }
  return `${stack}:${randomBytes(6).toString("hex")}`;
}

/**
 * Whether the process runs for `pulumi destroy`, as the processes that it descends from tell. There a tenure that was
 * followed by another is an old copy of the state, and no replacement: the farewell is meant all the same.
 */
export function isDestroy(pid = process.pid, table = processTable()): boolean {
  const [, ...words] = engineAbove(pid, table)?.words ?? [];
  return /^(destroy|down|dn)$/.test(verbOf(words) ?? "");
}

/** For how long the engine that the process runs for has been at work, in seconds; undefined where that cannot be told. */
export function engineAge(pid = process.pid, table = processTable()): number | undefined {
  return engineAbove(pid, table)?.seconds;
}

function engineAbove(pid: number, table: ProcessTable): Process | undefined {
  let at = table.get(pid);
  while (at && !/(^|\/)(pulumi|\.pulumi-wrapped)$/.test(at.words[0] ?? "")) at = table.get(at.parent);
  return at;
}

/** Options of the pulumi command (3.259) before its verb that take the next word for their value. */
const WITH_VALUE =
  /^(-s|--stack|-C|--cwd|-v|--verbose|--color|--profiling|--memprofilerate|--tracing|--tracing-header)$/;

/** Its first word that is neither an option nor the value of one. */
function verbOf(words: string[]): string | undefined {
  return words.find((word, index) => !word.startsWith("-") && !WITH_VALUE.test(words[index - 1] ?? ""));
}

interface Process {
  parent: number;
  /** Since it began. */
  seconds: number;
  words: string[];
}

type ProcessTable = Map<number, Process>;

/** Of `ps`; empty where it does not answer, which spares what would else be ended. */
function processTable(): ProcessTable {
  try {
    const listed = execFileSync("ps", ["-A", "-o", "pid=,ppid=,etime=,args="], {
      encoding: "utf8",
      maxBuffer: 16 << 20,
    });
    return new Map(
      listed
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .map(([pid, parent, age = "", ...words]) => [
          Number(pid),
          { parent: Number(parent), seconds: secondsOf(age), words },
        ]),
    );
  } catch {
    return new Map();
  }
}

/** @param age POSIX's etime: [[dd-]hh:]mm:ss */
function secondsOf(age: string): number {
  const [seconds = 0, minutes = 0, hours = 0, days = 0] = age.split(/[:-]/).reverse().map(Number);
  return seconds + 60 * (minutes + 60 * (hours + 24 * days));
}
