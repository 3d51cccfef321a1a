import { readdirSync, readFileSync } from "node:fs";
import type { Point } from "./series";

/** Clock ticks of Linux on every processor that Node runs on. */
const TICKS_A_SECOND = 100;
/** ms between looks at the memory. */
const INTERVAL = 100;

/** What a command that this process starts costs, with all that it starts itself. Linux. */
export async function costOf(n: number, command: () => Promise<{ code: number; output: string }>): Promise<Point> {
  const others = new Set(descendants().map(({ pid }) => pid));
  let [memory, engine] = [0, 0];
  const timer = setInterval(() => {
    const now = descendants().filter(({ pid }) => !others.has(pid));
    const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
    memory = Math.max(memory, sum(now.map(({ rss }) => rss)));
    engine = Math.max(engine, sum(now.filter(({ name }) => name === "pulumi").map(({ seconds }) => seconds)));
  }, INTERVAL);
  try {
    const [cpuBefore, wallBefore] = [childrenSeconds(), performance.now()];
    const { code, output } = await command();
    const [cpu, wall] = [childrenSeconds() - cpuBefore, (performance.now() - wallBefore) / 1000];
    if (code !== 0) throw new Error(output);
    return { n, cpu, wall, ...(engine > 0 ? { engine } : {}), ...(memory > 0 ? { memory } : {}) };
  } finally {
    clearInterval(timer);
  }
}

/**
 * proc_pid_stat(5), from the state on: `ppid` is 2nd, `utime` and `stime` are 12th and 13th, of children that have ended 14th
 * and 15th, `rss` (pages) is 22nd.
 */
function statOf(pid: string): { name: string; fields: string[] } {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [open, close] = [text.indexOf("("), text.lastIndexOf(")")];
  return { name: text.slice(open + 1, close), fields: text.slice(close + 2).split(" ") };
}

/** Of children that have ended, and of theirs. */
function childrenSeconds(): number {
  const { fields } = statOf("self");
  return (Number(fields[13]) + Number(fields[14])) / TICKS_A_SECOND;
}

interface Descendant {
  pid: string;
  name: string;
  /** MB. */
  rss: number;
  /** CPU of its own, without its children's. */
  seconds: number;
}

function descendants(): Descendant[] {
  const all = new Map<string, Descendant & { parent: string }>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const { fields, name } = statOf(pid);
      const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
      all.set(pid, { pid, parent: fields[1] as string, name, seconds, rss: (Number(fields[21]) * 4096) / 2 ** 20 });
    } catch {
      // Ended meanwhile.
    }
  }
  const isOurs = (pid: string): boolean => {
    const parent = all.get(pid)?.parent;
    return parent === String(process.pid) || (parent !== undefined && parent !== "0" && isOurs(parent));
  };
  return [...all.values()].filter(({ pid }) => isOurs(pid));
}
