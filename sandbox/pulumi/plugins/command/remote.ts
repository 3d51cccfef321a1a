import { constants } from "node:os";
import type { Client, ClientChannel } from "ssh2";
import type { Log } from "../log";
import { type Connection, dial } from "./connection";
import { type Logging, type Output, OutputCollector } from "./output";

export interface RemoteInputs {
  connection: Connection;
  environment?: Record<string, string>;
  stdin?: string;
  logging?: Logging;
}

/** Runs a command over SSH, as `remote.Command` does. @param optional variables the server may refuse */
export async function runRemotely(
  command: string,
  inputs: RemoteInputs,
  optional: Record<string, string>,
  log: Log,
): Promise<Output> {
  const client = await dial(inputs.connection, log);
  try {
    const channel = await open(client, command, inputs.environment ?? {}, optional, log);
    return await finish(channel, command, inputs, log);
  } finally {
    client.end();
  }
}

function finish(channel: ClientChannel, command: string, inputs: RemoteInputs, log: Log): Promise<Output> {
  const collector = new OutputCollector(log, inputs.logging);
  channel.on("data", (chunk: Buffer) => collector.take("stdout", chunk));
  channel.stderr.on("data", (chunk: Buffer) => collector.take("stderr", chunk));
  channel.on("error", () => {}); // the command need not read what it is given
  channel.end(inputs.stdin ?? "");
  return new Promise((settle, fail) =>
    channel.on("close", (code?: number | null, signal?: string) =>
      collector.finish(command, howItEnded(code, signal)).then(settle, fail),
    ),
  );
}

function howItEnded(code: number | null | undefined, signal: string | undefined): string | undefined {
  if (signal) {
    const number = constants.signals[signal as NodeJS.Signals] ?? 0;
    return `Process exited with status ${128 + number} from signal ${signal.replace(/^SIG/, "")}`;
  }
  if (typeof code !== "number") return "wait: remote command exited without exit status or exit signal";
  return code === 0 ? undefined : `Process exited with status ${code}`;
}

/** The parts of ssh2 that have no public form: the order in which a channel's requests are sent and answered. */
interface Internals {
  _protocol: {
    exec: (channel: number, command: string, wantReply: boolean) => void;
    env: (channel: number, name: string, value: string, wantReply: boolean) => void;
  };
  _chanMgr: { _channels: Record<string, { outgoing: { id: number }; _callbacks: ((failed: boolean) => void)[] }> };
}

/** Sets the variables one by one, as the server answers, and only then starts the command. */
function open(
  client: Client,
  command: string,
  required: Record<string, string>,
  optional: Record<string, string>,
  log: Log,
): Promise<ClientChannel> {
  return new Promise((settle, fail) => {
    beforeExec(client, async (setVariable) => {
      for (const [name, value] of Object.entries(required)) {
        if (await setVariable(name, value)) continue;
        await log.error(refused(name));
        throw new Error(`could not set environment variable "${name}": ssh: setenv failed`);
      }
      for (const [name, value] of Object.entries(optional))
        if (!(await setVariable(name, value))) await log.warning(refused(name));
    }).catch(fail);
    client.exec(command, (error, channel) => (error ? fail(error) : settle(channel)));
  });
}

/** Holds the next exec request back until `prepare` is done; an error in it means the command never starts. */
function beforeExec(
  client: Client,
  prepare: (setVariable: (name: string, value: string) => Promise<boolean>) => Promise<void>,
): Promise<void> {
  const { _protocol: protocol, _chanMgr: manager } = client as unknown as Internals;
  const exec = protocol.exec.bind(protocol);
  return new Promise((settle, fail) => {
    protocol.exec = async (id, command, wantReply) => {
      const channel = Object.values(manager._channels).find(({ outgoing }) => outgoing?.id === id);
      const started = channel?._callbacks.pop();
      if (!channel || !started) return fail(new Error("ssh: channel closed"));
      const setVariable = (name: string, value: string) =>
        new Promise<boolean>((answered) => {
          channel._callbacks.push((failed) => answered(!failed));
          protocol.env(id, name, value, true);
        });
      try {
        await prepare(setVariable);
        channel._callbacks.push(started);
        exec(id, command, wantReply);
        settle();
      } catch (error) {
        fail(error);
      }
    };
  });
}

const refused = (name: string) => `Unable to set '${name}'. This only works if your SSH server is configured to accept
	these variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you could
	prefix the command itself with the variables in the form 'VAR=value command'`;
