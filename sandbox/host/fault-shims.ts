import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../tools";

/** The agent changes the world through these alone, so that a fault at each of their calls is a fault at every step. */
const TOOLS = ["cat", "chmod", "cp", "curl", "dd", "ln", "mkdir", "mv", "rm", "rmdir", "sh"];

/**
 * What happens when the agent calls a tool: the agent is killed before it ran or after, the tool fails (as on a full
 * disk), or zot is killed.
 */
export const FAULTS = ["agent-killed-before", "agent-killed-after", "tool-fails", "zot-killed"] as const;
export type Fault = (typeof FAULTS)[number];

/** Stands between the agent and its tools: wrappers, first on its PATH, that count calls and let one go wrong. */
export class FaultShims {
  private readonly directory: string;

  constructor(private readonly host: string) {
    this.directory = join(host, "shims");
    mkdirSync(this.directory, { recursive: true });
    for (const tool of TOOLS) {
      writeFileSync(join(this.directory, tool), shim(tool, this.directory), { mode: 0o755 });
    }
  }

  /** For an agent whose shell says its process id before it becomes the agent. */
  get environment(): { shell: [string, ...string[]]; env: NodeJS.ProcessEnv } {
    return {
      shell: ["/bin/sh", "-c", `echo $$ >${this.directory}/agent.pid; exec /bin/sh "$@"`, "agent"],
      env: { ...process.env, PATH: `${this.directory}:${process.env.PATH}` },
    };
  }

  /** The n-th call of a tool goes wrong, counted from 1; 0 only counts. */
  arm(fault: Fault, call: number): void {
    writeFileSync(join(this.directory, "count"), "0\n");
    writeFileSync(join(this.directory, "steps"), "");
    writeFileSync(join(this.directory, "armed"), `${fault} ${call} ${join(this.host, "zot.pid")}\n`);
  }

  /** @returns the calls since `arm`, as they would be typed */
  disarm(): string[] {
    rmSync(join(this.directory, "armed"), { force: true });
    return readFileSync(join(this.directory, "steps"), "utf8").split("\n").slice(0, -1);
  }
}

function shim(tool: string, directory: string): string {
  const real = findCommand(tool);
  return `#!/bin/sh
{ read -r fault at zot <${directory}/armed; } 2>/dev/null || exec ${real} "$@"
read -r count <${directory}/count
count=$((count + 1))
echo "$count" >${directory}/count
echo "${tool} $*" >>${directory}/steps
[ "$count" = "$at" ] || exec ${real} "$@"
case $fault in
agent-killed-before) read -r agent <${directory}/agent.pid; kill -9 "$agent" ;;
agent-killed-after) ${real} "$@"; read -r agent <${directory}/agent.pid; kill -9 "$agent" ;;
tool-fails) exit 1 ;;
zot-killed) { read -r pid <"$zot" && kill -9 "$pid"; } 2>/dev/null; exec ${real} "$@" ;;
esac
`;
}
