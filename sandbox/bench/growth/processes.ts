import { readdirSync, readFileSync } from "node:fs";
import type { Point } from "./fit";

/** Clock ticks of Linux on every processor that Node runs on. */
const TICKS_A_SECOND = 100;
/** ms between looks at the memory. */
const INTERVAL = 100;

/** What a command that this process starts costs, with all that it starts itself. Linux. */
export async function costOf(n: number, command: () => Promise<{ code: number; output: string }>): Promise<Point> {
  const others = new Set(descendants().map(({ pid }) => pid));
  let memory = 0;
  const timer = setInterval(() => {
    const now = descendants().filter(({ pid }) => !others.has(pid));
    memory = Math.max(
      memory,
      now.reduce((sum, { rss }) => sum + rss, 0),
    );
  }, INTERVAL);
  try {
    const [cpuBefore, wallBefore] = [childrenSeconds(), performance.now()];
    const { code, output } = await command();
    const [cpu, wall] = [childrenSeconds() - cpuBefore, (performance.now() - wallBefore) / 1000];
    if (code !== 0) throw new Error(output);
    return { n, cpu, wall, ...(memory > 0 ? { memory } : {}) };
  } finally {
    clearInterval(timer);
  }
}

/** proc_pid_stat(5), from the state on: `ppid` is 2nd, `cutime` and `cstime` are 14th and 15th, `rss` (pages) is 22nd. */
function statOf(pid: string): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Of children that have ended, and of theirs. */
function childrenSeconds(): number {
  const stat = statOf("self");
  return (Number(stat[13]) + Number(stat[14])) / TICKS_A_SECOND;
}

function descendants(): { pid: string; rss: number }[] {
  const all = new Map<string, { parent: string; rss: number }>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = statOf(pid);
      all.set(pid, { parent: stat[1] as string, rss: (Number(stat[21]) * 4096) / 2 ** 20 });
    } catch {
      // Ended meanwhile.
    }
  }
  const isOurs = (pid: string): boolean => {
    const parent = all.get(pid)?.parent;
    return parent === String(process.pid) || (parent !== undefined && parent !== "0" && isOurs(parent));
  };
  return [...all].filter(([pid]) => isOurs(pid)).map(([pid, { rss }]) => ({ pid, rss }));
}
