import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** Text of the agent as this program brings it. */
export const agentText = (): string => readFileSync(resolve(__dirname, "agent.sh"), "utf8");
