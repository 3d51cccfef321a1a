import type { AgentDriver, Call } from "../../sandbox/host/agent-driver";
import type { ZotConfig } from "../../src/zot/types";

/** The configurations differ in what an anonymous client is told. */
export type Configuration = "open" | "first" | "second";

/** Where it is done. */
interface Ground {
  config(name: Configuration): ZotConfig;
  putSecret(agent: AgentDriver): Promise<Call>;
}

/** Something the agent does, to be interrupted: from one configuration to another. */
export interface Operation {
  name: string;
  from: Configuration;
  to: Configuration;
  /** The same way back is the same operation. */
  bothWays?: boolean;
  /** Whether the configuration before `from` has to be `to`. */
  needsPrevious?: boolean;
  /** Whether the two have different realms, for which zot has to be restarted. */
  restarts?: boolean;
  run(ground: Ground, agent: AgentDriver, to: Configuration): Promise<Call>;
}

export const OPERATIONS: readonly Operation[] = [
  { name: "restart", from: "first", to: "second", bothWays: true, restarts: true, run: activate },
  { name: "roll back", from: "first", to: "second", bothWays: true, needsPrevious: true, run: rollBack },
  { name: "first hardening", from: "open", to: "first", run: activate },
  { name: "restore", from: "first", to: "open", run: (_, agent) => agent.call("restore", { wait: 20 }) },
  { name: "reload", from: "first", to: "second", bothWays: true, run: activate },
  { name: "put-secret", from: "first", to: "first", run: (ground, agent) => ground.putSecret(agent) },
];

function activate(ground: Ground, agent: AgentDriver, to: Configuration): Promise<Call> {
  return agent.activate(ground.config(to));
}

function rollBack(_: Ground, agent: AgentDriver): Promise<Call> {
  return agent.call("rollback", { wait: 20 });
}
