import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Shows a resource's messages on pulumi's console. */
export interface Log {
  /** A line that passes by, next to the resource it is about. */
  status: (message: string) => Promise<void>;
  warning: (message: string) => Promise<void>;
  error: (message: string) => Promise<void>;
}

/** @param engine address the engine listens on */
export function engineLog(engine: string): (urn: string) => Log {
  const client = new EngineClient(engine, credentials.createInsecure());
  return (urn) => {
    const send =
      (severity: LogRequest["getSeverity"] extends () => infer S ? S : never, ephemeral: boolean) =>
      (message: string) => {
        const request = new LogRequest();
        request.setSeverity(severity);
        request.setMessage(message);
        request.setUrn(urn);
        request.setEphemeral(ephemeral);
        return new Promise<void>((settle, fail) => client.log(request, (error) => (error ? fail(error) : settle())));
      };
    return {
      status: send(LogSeverity.INFO, true),
      warning: send(LogSeverity.WARNING, false),
      error: send(LogSeverity.ERROR, false),
    };
  };
}
