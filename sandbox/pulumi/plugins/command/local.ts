import { spawn } from "node:child_process";
import type { Log } from "../log";
import { type Logging, type Output, OutputCollector } from "./output";

export interface LocalInputs {
  interpreter?: string[];
  dir?: string;
  environment?: Record<string, string>;
  stdin?: string;
  logging?: Logging;
}

/** Runs a command on this machine, as `local.Command` does. @param environment comes on top of the inputs' own */
export function runLocally(
  command: string,
  inputs: LocalInputs,
  environment: Record<string, string>,
  log: Log,
): Promise<Output> {
  const [program, ...args] = [...(inputs.interpreter?.length ? inputs.interpreter : ["/bin/sh", "-c"]), command];
  const collector = new OutputCollector(log, inputs.logging);
  const child = spawn(program as string, args, {
    cwd: inputs.dir,
    env: { ...process.env, ...inputs.environment, ...environment },
  });
  child.stdout.on("data", (chunk: Buffer) => collector.take("stdout", chunk));
  child.stderr.on("data", (chunk: Buffer) => collector.take("stderr", chunk));
  child.stdin.on("error", () => {}); // the command need not read what it is given
  child.stdin.end(inputs.stdin ?? "");
  return new Promise((settle, fail) => {
    child.on("error", (error: NodeJS.ErrnoException) =>
      collector.finish(command, `${error.path}: ${error.code}`).then(settle, fail),
    );
    child.on("close", (code, signal) => {
      const failure = signal ? `signal: ${SIGNALS[signal] ?? signal}` : code ? `exit status ${code}` : undefined;
      collector.finish(command, failure).then(settle, fail);
    });
  });
}

/** Go's names of them. */
const SIGNALS: Partial<Record<NodeJS.Signals, string>> = {
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGKILL: "killed",
  SIGPIPE: "broken pipe",
  SIGSEGV: "segmentation fault",
  SIGTERM: "terminated",
};
