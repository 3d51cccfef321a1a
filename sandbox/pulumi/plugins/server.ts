import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { engineLog } from "./log";
import type { Change, DiffRequest, Failure, Provider } from "./provider";
import type { Properties } from "./wire";

/** The engine starts a plugin with the address it listens on, and reads the plugin's port from its first line. */
export function engineAddress(): string {
  return process.argv.slice(2).find((argument) => !argument.startsWith("-")) ?? "";
}

export function listen(server: Server): void {
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    console.log(port);
  });
  // The engine ends its plugins, unless it was killed itself.
  const engine = process.ppid;
  setInterval(() => process.ppid === engine || process.exit(), 1000);
}

export function newServer(): Server {
  return new Server({ "grpc.max_receive_message_length": 400 << 20, "grpc.max_send_message_length": -1 });
}

/** Answers one call; what the handler throws becomes the message the operator reads. */
export function answer<Request, Response>(
  handle: (request: Request) => Response | Promise<Response>,
): (call: ServerUnaryCall<Request, Response>, respond: sendUnaryData<Response>) => void {
  return async (call, respond) => {
    try {
      respond(null, await handle(call.request));
    } catch (error) {
      respond({ code: status.UNKNOWN, details: error instanceof Error ? error.message : String(error) });
    }
  };
}

/** Speaks Pulumi's provider protocol (proto/pulumi/provider.proto) for a provider, until the engine ends this process. */
export function serve(provider: Provider): void {
  const server = newServer();
  server.addService(ResourceProviderService, methods(provider, engineLog(engineAddress())));
  listen(server);
}

function methods(provider: Provider, logFor: ReturnType<typeof engineLog>): UntypedServiceImplementation {
  return {
    getPluginInfo: answer(() => new PluginInfo().setVersion(provider.version)),
    cancel: answer(() => new Empty()),
    ...configuration(provider, logFor),
    check: answer((request: proto.CheckRequest) => {
      const { inputs, failures } = provider.check(
        about(request),
        properties(request.getNews()),
        properties(request.getOlds()),
      );
      return new proto.CheckResponse().setInputs(struct(inputs)).setFailuresList(failures.map(checkFailure));
    }),
    diff: answer((request: proto.DiffRequest) => diffResponse(provider.diff(diffRequest(request)))),
    create: answer(async (request: proto.CreateRequest) => {
      const inputs = properties(request.getProperties());
      const asked = { ...about(request), inputs, preview: request.getPreview() };
      const { id, outputs } = await provider.create(asked, logFor(request.getUrn()));
      return new proto.CreateResponse().setId(id).setProperties(struct(outputs));
    }),
    read: answer(async (request: proto.ReadRequest) => {
      const asked = {
        ...about(request),
        id: request.getId(),
        inputs: properties(request.getInputs()),
        outputs: properties(request.getProperties()),
      };
      const found = await provider.read(asked, logFor(request.getUrn()));
      const response = new proto.ReadResponse();
      if (!found) return response;
      return response.setId(request.getId()).setProperties(struct(found.outputs)).setInputs(struct(found.inputs));
    }),
    update: answer(async (request: proto.UpdateRequest) => {
      const asked = { ...diffRequest(request), preview: request.getPreview() };
      const outputs = await provider.update(asked, logFor(request.getUrn()));
      return new proto.UpdateResponse().setProperties(struct(outputs));
    }),
    delete: answer(async (request: proto.DeleteRequest) => {
      const asked = { ...about(request), id: request.getId(), outputs: properties(request.getProperties()) };
      await provider.delete(asked, logFor(request.getUrn()));
      return new Empty();
    }),
  };
}

function configuration(provider: Provider, logFor: ReturnType<typeof engineLog>): UntypedServiceImplementation {
  return {
    parameterize: answer((request: proto.ParameterizeRequest) => {
      const value = request.getValue();
      if (!provider.parameterize || !value) throw new Error("parameterization by arguments is not supported");
      const { name, version } = provider.parameterize(Buffer.from(value.getValue_asU8()));
      return new proto.ParameterizeResponse().setName(name).setVersion(version);
    }),
    checkConfig: answer((request: proto.CheckRequest) => {
      const news = properties(request.getNews());
      const { inputs, failures } = provider.checkConfig?.(news) ?? { inputs: news, failures: [] };
      return new proto.CheckResponse().setInputs(struct(inputs)).setFailuresList(failures.map(checkFailure));
    }),
    diffConfig: answer(() => new proto.DiffResponse().setChanges(proto.DiffResponse.DiffChanges.DIFF_NONE)),
    configure: answer(async (request: proto.ConfigureRequest) => {
      await provider.configure?.(properties(request.getArgs()));
      return new proto.ConfigureResponse().setAcceptsecrets(provider.acceptsSecrets ?? false).setSupportspreview(true);
    }),
    invoke: answer(async (request: proto.InvokeRequest) => {
      if (!provider.invoke) throw new Error(`unknown function ${request.getTok()}`);
      return new proto.InvokeResponse().setReturn(
        struct(await provider.invoke(request.getTok(), properties(request.getArgs()), logFor(""))),
      );
    }),
  };
}

const about = (request: { getUrn(): string; getType(): string; getName(): string }) => ({
  urn: request.getUrn(),
  type: request.getType(),
  name: request.getName(),
});

function diffRequest(request: proto.DiffRequest | proto.UpdateRequest): DiffRequest {
  return {
    ...about(request),
    id: request.getId(),
    oldInputs: properties(request.getOldInputs()),
    oldOutputs: properties(request.getOlds()),
    inputs: properties(request.getNews()),
    ignoreChanges: request.getIgnorechangesList(),
  };
}

function diffResponse(changes: Change[]): proto.DiffResponse {
  const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
  const response = new proto.DiffResponse().setHasdetaileddiff(true);
  response.setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setDiffsList([...new Set(changes.map(({ path }) => topLevel(path)))]);
  response.setReplacesList([...new Set(changes.filter(({ replace }) => replace).map(({ path }) => topLevel(path)))]);
  for (const { path, kind, replace } of changes) {
    const detail = new proto.PropertyDiff().setKind(kindOf(kind, replace ?? false)).setInputdiff(true);
    response.getDetaileddiffMap().set(path, detail);
  }
  return response;
}

function kindOf(kind: Change["kind"], replace: boolean): proto.PropertyDiff.Kind {
  const name = `${kind}${replace ? "_replace" : ""}`.toUpperCase() as keyof typeof proto.PropertyDiff.Kind;
  return proto.PropertyDiff.Kind[name];
}

const topLevel = (path: string) => path.replace(/[.[].*/s, "");

const checkFailure = ({ property, reason }: Failure) =>
  new proto.CheckFailure().setProperty(property).setReason(reason);

function properties(value: Struct | undefined): Properties {
  return (value?.toJavaScript() ?? {}) as Properties;
}

function struct(value: Properties): Struct {
  return Struct.fromJavaScript(value as { [key: string]: JavaScriptValue });
}
