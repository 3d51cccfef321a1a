import { text } from "node:stream/consumers";
import { OperatorError } from "./error";

/**
 * One of the things that a program of bin/ does. The request is JSON on stdin, since an argument or a variable could be read
 * by others.
 * @param before what the same resource printed last time (addPreviousOutputInEnv), if it did
 */
type Verb<Request, Printed> = (request: Request, before?: Printed) => object | undefined | Promise<object | undefined>;

/**
 * Does what the command line names, and prints the answer as one line of JSON. A mistake of the operator's is one sentence on
 * stderr.
 */
export async function runVerb(verbs: Record<string, Verb<never, never>>): Promise<void> {
  const name = process.argv[2] ?? "";
  try {
    const verb = verbs[name] as Verb<unknown, unknown> | undefined;
    if (!verb) throw new OperatorError(`${name} is not a verb; give one of: ${Object.keys(verbs).join(", ")}`);
    const answer = await verb(parse(await text(process.stdin)), printedBefore());
    if (answer) process.stdout.write(`${JSON.stringify(answer)}\n`);
  } catch (error) {
    console.error(sentence(error as Error));
    process.exitCode = 1;
  }
}

function parse(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    // The parser's own words would quote it.
    throw new OperatorError("standard input must be JSON");
  }
}

function printedBefore(): unknown {
  const before = process.env.PULUMI_COMMAND_STDOUT;
  return before ? JSON.parse(before) : undefined;
}

/** A message of our own holds no secret; of any other error only its name is known to hold none. */
function sentence(error: Error): string {
  if (error instanceof OperatorError) return error.message;
  return `unexpected ${error.name}: ${error.stack?.split("\n")[1]?.trim()}`;
}
