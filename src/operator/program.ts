import { RunError } from "@pulumi/pulumi";
import { OperatorError } from "./error";

/** A Pulumi program whose operator's mistakes are shown as their message alone, without a stack trace. */
export function forOperators<Outputs>(program: () => Promise<Outputs>): () => Promise<Outputs> {
  return async () => {
    try {
      return await program();
    } catch (error) {
      throw error instanceof OperatorError ? new RunError(error.message) : error;
    }
  };
}
