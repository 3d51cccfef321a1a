import type { Client } from "ssh2";
import { OperatorError } from "../operator/error";
import type { Farewell } from "../settings/hosts";
import { beginTenure, isDestroy, type Tenure } from "../tenure";
import {
  type AgentHost,
  type AgentOptions,
  type AgentStatus,
  type AgentVerb,
  agentCommand,
  installScript,
  scriptCommand,
  statusCommand,
} from "./agent";
import { agentText } from "./agent-text";
import { readAnswer } from "./observe";
import { readOnly } from "./read-only";
import { connected, MIDWAY, nameOf, run, type SshTarget } from "./ssh";

/** A host for a program of bin/, which has no settings. */
export interface HostRequest extends SshTarget, AgentHost {}

/** What the tenure of a host is told, as a secret: its deletion must do without the settings. */
export interface TenureRequest extends HostRequest {
  owner: string;
  takeOver?: string | undefined;
  farewell: Farewell;
}

/** What it prints. */
export interface HostTenure extends Tenure {
  /** Where the host is, for people. */
  host: string;
}

/** Notes down on the host whose it is from now on, before anything else is brought there. @throws OperatorError */
export async function begin(request: TenureRequest): Promise<HostTenure> {
  const tenure = beginTenure(request.owner);
  await connected(
    request,
    async (client) => {
      await install(client, request);
      await call(client, request, "claim", { ...tenure, takeover: request.takeOver });
    },
    MIDWAY,
  );
  return { ...tenure, host: nameOf(request) };
}

/** The connection or the farewell has changed: the life goes on. */
export async function keep(request: TenureRequest, held?: HostTenure): Promise<HostTenure> {
  return held ?? begin(request);
}

/**
 * Says farewell to a host, unless it belongs to another life by now: that of the resource which replaced this one, of another
 * name of the host, or of another stack.
 */
export async function end(request: TenureRequest, held?: HostTenure): Promise<undefined> {
  if (!held) return undefined;
  const words = { owner: held.owner, life: held.life, last: isDestroy() ? "yes" : undefined } as const;
  await connected(
    request,
    async (client) => {
      const status = await ask(client, request);
      if (!belongs(status, words)) {
        console.error(
          `${nameOf(request)}: it is delivered by ${status.owner} by now (life ${status.life}, and this was ${words.owner}, life ${words.life}): left as it is`,
        );
        return;
      }
      await install(client, request);
      if (request.farewell === "restore") await call(client, request, "restore", words);
      else await call(client, request, "close", words, await readOnlyConfig(client, request));
      await call(client, request, "uninstall", words);
    },
    MIDWAY,
  );
  return undefined;
}

/** As the agent judges it, who has the last word. */
function belongs({ owner, life }: AgentStatus, words: Tenure & { last?: "yes" | undefined }): boolean {
  return owner === null || (owner === words.owner && (life === words.life || words.last === "yes"));
}

async function ask(client: Client, request: TenureRequest): Promise<AgentStatus> {
  return readAnswer(request, await heard(client, request, statusCommand(request), agentText()));
}

async function install(client: Client, request: TenureRequest): Promise<void> {
  await heard(client, request, scriptCommand(request, 0), installScript(agentText()));
}

/** One call of the agent that is installed there. @throws OperatorError with what it said, when it failed */
export function call(client: Client, request: HostRequest, verb: AgentVerb, options: AgentOptions, stdin?: string) {
  return heard(client, request, agentCommand(request, verb, options), stdin);
}

async function readOnlyConfig(client: Client, request: TenureRequest): Promise<string> {
  const path = `${request.configDirectory}/config.json`;
  const text = await heard(client, request, `cat ${path}`);
  try {
    return `${JSON.stringify(readOnly(JSON.parse(text)), null, 2)}\n`;
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(
      `${nameOf(request)}: ${path} is not JSON, so no read-only configuration can be made of it: run \`pulumi up\` first, which puts it right`,
    );
  }
}

/** @throws OperatorError with what the command said, when it failed */
export async function heard(client: Client, request: SshTarget, command: string, stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await run(client, command, stdin);
  if (code === 0) return stdout;
  const said = stderr.trim().replaceAll("harden-zot: ", "");
  throw new OperatorError(`${nameOf(request)}: ${said || `\`${command}\` ended with exit code ${code}`}`);
}
