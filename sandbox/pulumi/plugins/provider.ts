import type { Log } from "./log";
import type { Properties } from "./wire";

/** What happens to one resource, in the order of its life. */
interface Resource {
  /** Type token, as in `command:local:Command`. */
  type: string;
  urn: string;
  /** The resource's Pulumi name. */
  name: string;
}

export interface CreateRequest extends Resource {
  inputs: Properties;
  /** Nothing may change: answer what is known. */
  preview: boolean;
}

export interface DiffRequest extends Resource {
  id: string;
  oldInputs: Properties;
  oldOutputs: Properties;
  inputs: Properties;
  /** Property paths, as in `triggers[1]`, that stay as they are. */
  ignoreChanges: string[];
}

export interface UpdateRequest extends DiffRequest {
  preview: boolean;
}

export interface ReadRequest extends Resource {
  id: string;
  /** Empty when the resource is being imported. */
  inputs: Properties;
  outputs: Properties;
}

export interface DeleteRequest extends Resource {
  id: string;
  outputs: Properties;
}

/** A property path, as in `triggers[1]`, and what becomes of it. */
export interface Change {
  path: string;
  kind: "add" | "delete" | "update";
  replace?: boolean;
}

/** A resource provider, free of its protocol. An error's message is shown to the operator. */
export interface Provider {
  version: string;
  /** Takes secrets wrapped and says itself which outputs are secret; otherwise it sees plain values and the engine keeps track. */
  acceptsSecrets?: boolean;
  parameterize?: (value: Buffer) => { name: string; version: string };
  checkConfig?: (config: Properties) => { inputs: Properties; failures: Failure[] };
  configure?: (config: Properties) => Promise<void>;
  invoke?: (token: string, args: Properties, log: Log) => Promise<Properties>;
  check: (resource: Resource, inputs: Properties, oldInputs: Properties) => { inputs: Properties; failures: Failure[] };
  diff: (request: DiffRequest) => Change[];
  create: (request: CreateRequest, log: Log) => Promise<{ id: string; outputs: Properties }>;
  /** Nothing when the resource is gone. */
  read: (request: ReadRequest, log: Log) => Promise<{ inputs: Properties; outputs: Properties } | undefined>;
  update: (request: UpdateRequest, log: Log) => Promise<Properties>;
  delete: (request: DeleteRequest, log: Log) => Promise<void>;
}

export interface Failure {
  property: string;
  reason: string;
}
