import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { credentials, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { type LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Properties } from "../../sandbox/pulumi/plugins/wire";
import { ensurePulumi } from "../../sandbox/pulumi/pulumi";

export interface Logged {
  severity: "status" | "info" | "warning" | "error" | "debug";
  message: string;
}

export interface Diff {
  changed: string[];
  replaced: string[];
}

/** A provider plugin, real or stand-in, spoken to as the engine does. */
export class Plugin {
  readonly log: Logged[] = [];

  private constructor(
    private readonly plugin: ChildProcess,
    private readonly engine: Server,
    private readonly client: ResourceProviderClient,
  ) {}

  static async start(name: string, version: string, environment: Record<string, string> = {}): Promise<Plugin> {
    const pulumi = await ensurePulumi({ log: () => {} });
    const file = `pulumi-resource-${name}`;
    const path = join(pulumi.environment.PULUMI_HOME as string, "plugins", `resource-${name}-v${version}`, file);
    const logged: Logged[] = [];
    const engine = await startEngine(logged);
    const child = spawn(path, [engine.address], {
      env: { ...process.env, ...pulumi.environment, ...environment },
      stdio: ["ignore", "pipe", "inherit"],
      detached: true, // a bridge starts a process of its own, which has to end with it
    });
    const [port] = (await once(createInterface(child.stdout), "line")) as [string];
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
    const plugin = new Plugin(child, engine.server, client);
    engine.attach(plugin.log);
    return plugin;
  }

  stop(): void {
    this.client.close();
    process.kill(-(this.plugin.pid as number));
    this.engine.forceShutdown();
  }

  async configure(config: Properties, parameter?: string): Promise<void> {
    if (parameter) {
      const value = new proto.ParameterizeRequest.ParametersValue();
      value.setName("authentik").setVersion("2026.5.0").setValue(parameter);
      await this.call("parameterize", new proto.ParameterizeRequest().setValue(value));
    }
    const request = new proto.ConfigureRequest().setArgs(struct(config)).setAcceptsecrets(true);
    await this.call("configure", request.setAcceptresources(true).setSendsOldInputs(true));
  }

  async checkConfig(config: Properties): Promise<string[]> {
    const urn = "urn:pulumi:test::test::pulumi:providers:authentik::default";
    const request = new proto.CheckRequest().setUrn(urn).setNews(struct(config)).setOlds(struct({}));
    const response = await this.call<proto.CheckResponse>("checkConfig", request);
    return response.getFailuresList().map((failure) => failure.getReason());
  }

  async check(type: string, inputs: Properties, oldInputs: Properties = {}): Promise<Properties> {
    const request = named(new proto.CheckRequest(), type).setNews(struct(inputs)).setOlds(struct(oldInputs));
    const seed = Buffer.alloc(32, 7);
    return object((await this.call<proto.CheckResponse>("check", request.setRandomseed(seed))).getInputs());
  }

  async diff(
    type: string,
    id: string,
    oldInputs: Properties,
    outputs: Properties,
    inputs: Properties,
    ignoreChanges: string[] = [],
  ): Promise<Diff> {
    const request = named(new proto.DiffRequest(), type).setId(id).setOldInputs(struct(oldInputs));
    request.setIgnorechangesList(ignoreChanges);
    const response = await this.call<proto.DiffResponse>(
      "diff",
      request.setOlds(struct(outputs)).setNews(struct(inputs)),
    );
    const detailed = [...response.getDetaileddiffMap().toObject(true, () => ({}) as never)].map(([path]) => path);
    const some = response.getChanges() === proto.DiffResponse.DiffChanges.DIFF_SOME;
    const changed = detailed.length > 0 ? detailed : response.getDiffsList();
    return { changed: some ? changed.sort() : [], replaced: response.getReplacesList().sort() };
  }

  async create(type: string, inputs: Properties, preview = false): Promise<{ id: string; outputs: Properties }> {
    const request = named(new proto.CreateRequest(), type).setProperties(struct(inputs)).setPreview(preview);
    const response = await this.call<proto.CreateResponse>("create", request);
    return { id: response.getId(), outputs: visible(response.getProperties()) };
  }

  async update(
    type: string,
    id: string,
    oldInputs: Properties,
    outputs: Properties,
    inputs: Properties,
    preview = false,
    ignoreChanges: string[] = [],
  ): Promise<Properties> {
    const request = named(new proto.UpdateRequest(), type).setId(id).setOldInputs(struct(oldInputs));
    request.setIgnorechangesList(ignoreChanges).setOlds(struct(outputs)).setNews(struct(inputs)).setPreview(preview);
    return visible((await this.call<proto.UpdateResponse>("update", request)).getProperties());
  }

  /** Nothing when the object is gone. */
  async read(type: string, id: string, inputs: Properties = {}, outputs: Properties = {}) {
    const request = named(new proto.ReadRequest(), type).setId(id);
    request.setInputs(struct(inputs)).setProperties(struct(outputs));
    const response = await this.call<proto.ReadResponse>("read", request);
    if (!response.getId()) return undefined;
    return { inputs: visible(response.getInputs()), outputs: visible(response.getProperties()) };
  }

  async delete(type: string, id: string, outputs: Properties): Promise<void> {
    const request = named(new proto.DeleteRequest(), type).setId(id).setProperties(struct(outputs));
    await this.call("delete", request);
  }

  async invoke(token: string, args: Properties): Promise<Properties> {
    const response = await this.call<proto.InvokeResponse>(
      "invoke",
      new proto.InvokeRequest().setTok(token).setArgs(struct(args)),
    );
    const failures = response.getFailuresList().map((failure) => failure.getReason());
    if (failures.length > 0) throw new Error(failures.join("; "));
    return object(response.getReturn());
  }

  private call<Response>(method: string, request: unknown): Promise<Response> {
    const client = this.client as unknown as Record<
      string,
      (request: unknown, answer: sendUnaryData<Response>) => void
    >;
    return new Promise((settle, fail) =>
      client[method]?.call(client, request, (error, response) =>
        error ? fail(new Error(error.details)) : settle(response as Response),
      ),
    );
  }
}

/** What the engine offers a plugin: a place to log. */
async function startEngine(first: Logged[]) {
  let log = first;
  const server = new Server();
  const take = (call: ServerUnaryCall<LogRequest, Empty>, respond: sendUnaryData<Empty>) => {
    const { request } = call;
    const names = { 0: "debug", 1: "info", 2: "warning", 3: "error" } as const;
    const severity =
      request.getEphemeral() && request.getSeverity() === LogSeverity.INFO ? "status" : names[request.getSeverity()];
    log.push({ severity, message: request.getMessage() });
    respond(null, new Empty());
  };
  server.addService(EngineService, { log: take });
  const port = await new Promise<number>((settle, fail) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? fail(error) : settle(bound),
    ),
  );
  return {
    server,
    address: `127.0.0.1:${port}`,
    attach: (other: Logged[]) => {
      log = other;
    },
  };
}

interface Named {
  setUrn(urn: string): unknown;
  setType(type: string): unknown;
  setName(name: string): unknown;
}

function named<T extends Named>(request: T, type: string): T {
  request.setUrn(`urn:pulumi:test::test::${type}::thing`);
  request.setType(type);
  request.setName("thing");
  return request;
}

const struct = (value: Properties) => Struct.fromJavaScript(value as never);
const object = (value: Struct | undefined) => (value?.toJavaScript() ?? {}) as Properties;

/** Without what a bridge keeps for itself. */
function visible(value: Struct | undefined): Properties {
  const own = ["__meta", "__pulumi_raw_state_delta"];
  return Object.fromEntries(Object.entries(object(value)).filter(([name]) => !own.includes(name)));
}
