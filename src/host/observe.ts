import { OperatorError } from "../settings/errors";
import type { HostSettings } from "../settings/hosts";
import { type AgentStatus, agentCommand } from "./agent";
import { execute, nameOf } from "./ssh";

/** What `sh agent.sh status` said; undefined on a host that has no agent yet. */
export type Observation = AgentStatus | undefined;

/**
 * One SSH round trip: asks the agent what the host holds. Touches nothing.
 * @throws OperatorError when the host cannot be reached, is another than the one pinned, or refuses the login
 */
export async function observe(host: HostSettings): Promise<Observation> {
  const { code, stdout, stderr } = await execute(host, agentCommand(host, "status"));
  if (code === 0) return readAnswer(host, stdout);
  // sh itself: the agent's file is not there.
  if (code === 2 || code === 127) return undefined;
  throw new OperatorError(
    `${nameOf(host)}: the agent could not say what the host holds: ${stderr.trim() || `exit code ${code}`}`,
  );
}

/**
 * What the agent printed as JSON: the last line, as a login shell may greet before it.
 * @throws OperatorError when something follows it
 */
export function readAnswer<Answer>(host: HostSettings, stdout: string): Answer {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line);
  } catch {
    throw new OperatorError(
      `${nameOf(host)}: the agent's answer is followed by something else (${JSON.stringify(line.slice(0, 80))}): a command run over SSH must print nothing of its own; look at that user's shell start-up files.`,
    );
  }
}
