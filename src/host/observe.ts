import { OperatorError } from "../operator/error";
import type { HostSettings } from "../settings/hosts";
import { type AgentStatus, statusCommand } from "./agent";
import { agentText } from "./agent-text";
import { execute, nameOf, type SshTarget } from "./ssh";

/**
 * What is known of a host before anything is done to it. A bare host answers and has no agent: it was never hardened, or lost
 * what was kept there. An unreachable one is known to be neither.
 */
export type Observation =
  | { kind: "installed"; status: AgentStatus }
  | { kind: "bare"; status: AgentStatus }
  | { kind: "unreachable"; why: string };

export type Answering = Exclude<Observation, { kind: "unreachable" }>;

/**
 * One SSH round trip: asks what the host holds, by an agent that is brought along and leaves nothing. So the answer is
 * today's, whatever agent the host has.
 * @throws OperatorError when the host cannot be reached, is another than the one pinned, or refuses the login
 */
export async function observe(host: HostSettings): Promise<Answering> {
  const { code, stdout, stderr } = await execute(host, statusCommand(host), agentText());
  if (code !== 0) {
    throw new OperatorError(
      `${nameOf(host)}: it could not be asked what it holds: ${stderr.trim().replaceAll("harden-zot: ", "") || silence(code)}`,
    );
  }
  const status = readAnswer<AgentStatus>(host, stdout);
  return { kind: status.agent === null ? "bare" : "installed", status };
}

const silence = (code: number) =>
  code === 255
    ? "the connection was lost after the login, or nothing was answered: is the network between here and there up, and the host not overloaded?"
    : `exit code ${code}`;

/**
 * What the agent printed as JSON: the last line, as a login shell may greet before it.
 * @throws OperatorError when something follows it
 */
export function readAnswer<Answer>(host: SshTarget, stdout: string): Answer {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line);
  } catch {
    throw new OperatorError(
      `${nameOf(host)}: the agent's answer is followed by something else (${JSON.stringify(line.slice(0, 80))}): a command run over SSH must print nothing of its own; look at that user's shell start-up files.`,
    );
  }
}
