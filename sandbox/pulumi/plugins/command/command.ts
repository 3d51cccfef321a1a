import { randomBytes } from "node:crypto";
import type { Log } from "../log";
import type { Change, CreateRequest, DeleteRequest, Failure, Provider, UpdateRequest } from "../provider";
import { serve } from "../server";
import { equal, isObject, type Properties, reveal, revealAll, UNKNOWN, type Value, within } from "../wire";
import { type LocalInputs, runLocally } from "./local";
import type { Output } from "./output";
import { type RemoteInputs, runRemotely } from "./remote";

/**
 * Stands in for pulumi-resource-command 1.2.1 (`command:local:Command` and `command:remote:Command`): real processes and
 * real SSH, without assets, CopyToRemote and `local.run`.
 */
const provider: Provider = {
  version: "1.2.1",
  acceptsSecrets: true,
  check: ({ type }, inputs) => ({ inputs: withDefaults(inputs), failures: unsupported(type, inputs) }),
  diff: ({ oldInputs, inputs }) => changes(oldInputs, inputs),
  create,
  // The provider cannot look at what a command did.
  read: async ({ inputs, outputs }) => ({ inputs, outputs }),
  update,
  delete: remove,
};

async function create({ type, name, inputs, preview }: CreateRequest, log: Log) {
  const id = name + randomBytes(4).toString("hex");
  if (preview) return { id, outputs: { ...inputs, stdout: UNKNOWN, stderr: UNKNOWN } };
  return { id, outputs: { ...inputs, ...(await run(type, inputs, inputs.create, NOTHING, log)) } };
}

/** Any change runs `update`, or `create` where there is none. */
async function update({ type, inputs, oldOutputs, preview }: UpdateRequest, log: Log): Promise<Properties> {
  if (preview) return { ...inputs, stdout: UNKNOWN, stderr: UNKNOWN };
  return { ...inputs, ...(await run(type, inputs, inputs.update ?? inputs.create, output(oldOutputs), log)) };
}

/** Uses what the state holds: the program may be gone. */
async function remove({ type, outputs }: DeleteRequest, log: Log): Promise<void> {
  await run(type, outputs, outputs.delete, output(outputs), log);
}

const NOTHING: Output = { stdout: "", stderr: "" };

const output = ({ stdout, stderr }: Properties): Output =>
  revealAll({ stdout: stdout ?? "", stderr: stderr ?? "" }) as never;

async function run(
  type: string,
  properties: Properties,
  command: Value | undefined,
  previous: Output,
  log: Log,
): Promise<Output & Properties> {
  const { text, ...inputs } = revealAll({ ...properties, text: command ?? null });
  if (text === null) return { ...previous };
  const environment = inputs.addPreviousOutputInEnv === false ? {} : previousOutput(previous);
  if (type === "command:local:Command")
    return { ...(await runLocally(text as string, inputs as unknown as LocalInputs, environment, log)) };
  return { ...(await runRemotely(text as string, inputs as unknown as RemoteInputs, environment, log)) };
}

function previousOutput({ stdout, stderr }: Output): Record<string, string> {
  return {
    ...(stdout && { PULUMI_COMMAND_STDOUT: stdout }),
    ...(stderr && { PULUMI_COMMAND_STDERR: stderr }),
  };
}

const CONNECTION_DEFAULTS = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };

function withDefaults(inputs: Properties): Properties {
  const fill = (endpoint: Value): Value => {
    if (!isObject(endpoint)) return endpoint;
    const proxy = endpoint.proxy === undefined ? {} : { proxy: within(endpoint.proxy, fill) };
    return { ...CONNECTION_DEFAULTS, ...endpoint, ...proxy };
  };
  return inputs.connection === undefined ? inputs : { ...inputs, connection: within(inputs.connection, fill) };
}

function unsupported(type: string, inputs: Properties): Failure[] {
  if (type !== "command:local:Command" && type !== "command:remote:Command")
    return [{ property: "", reason: `the stand-in of pulumi-resource-command knows no ${type}` }];
  return ["assetPaths", "archivePaths"]
    .filter((property) => property in inputs)
    .map((property) => ({ property, reason: "not known to the stand-in of pulumi-resource-command" }));
}

/** Down to the single trigger: the SDK asks for a replacement when one of them changes. */
function changes(before: Properties, after: Properties): Change[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => changesOf(name, before[name], after[name]));
}

function changesOf(path: string, old: Value | undefined, now: Value | undefined): Change[] {
  if (old === undefined) return now === undefined ? [] : [{ path, kind: "add" }];
  if (now === undefined) return [{ path, kind: "delete" }];
  const [was, is] = [reveal(old), reveal(now)];
  if (Array.isArray(was) && Array.isArray(is)) {
    const longest = was.length > is.length ? was : is;
    return longest.flatMap((_, index) => changesOf(`${path}[${index}]`, was[index], is[index]));
  }
  if (isObject(was) && isObject(is))
    return changes(was, is).map((change) => ({ ...change, path: `${path}.${change.path}` }));
  return equal(was, is) ? [] : [{ path, kind: "update" }];
}

serve(provider);
