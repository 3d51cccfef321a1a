import { RunError } from "@pulumi/pulumi";
import { OperatorError } from "./error";

/** A Pulumi program whose operator's mistakes are shown as their message alone, without a stack trace. */
export function forOperators<Outputs>(program: () => Promise<Outputs>): () => Promise<Outputs> {
  // Before Pulumi's own listeners, which print the error.
  process.prependListener("unhandledRejection", shortenStack);
  process.prependListener("uncaughtException", shortenStack);
  // source-map-support, which Pulumi loads, looks every line of a stack up in the source maps, and Pulumi reads the stack of
  // every resource: a tenth of a preview. It finds none for what is compiled in memory (docs/facts.md, errors).
  Reflect.deleteProperty(Error, "prepareStackTrace");
  return async () => {
    try {
      return await program();
    } catch (error) {
      throw error instanceof OperatorError ? new RunError(error.message) : error;
    }
  };
}

/**
 * Node 20.20's util.inspect, in colours, never returns on a stack line whose file lies directly in node_modules or in
 * a scope of it; Pulumi 3.270 inspects every error so, and its own stack has such lines (docs/facts.md, errors).
 */
export function shortenStack(error: unknown): void {
  if (!(error instanceof Error) || !error.stack) return;
  error.stack = error.stack
    .split("\n")
    .filter((line) => !/^\s+at .*node_modules/.test(line))
    .join("\n");
}
