import { text } from "node:stream/consumers";
import { OperatorError } from "../settings/errors";
import { mint, retire, revoke } from "./key-program";

/**
 * `node --require ./loader.js src/credentials/main.ts mint | retire | revoke`: one step in the life of an API key. The
 * request is JSON on stdin, since an argument or a variable could be read by others; what is left to know is JSON on
 * stdout.
 */
async function main(verb: string | undefined): Promise<void> {
  const request = JSON.parse(await text(process.stdin));
  switch (verb) {
    case "mint":
      return print(await mint(request));
    case "retire":
      return print(await retire(request, recorded()));
    case "revoke":
      return revoke(request);
    default:
      throw new OperatorError(`${verb} is not a verb; give mint, retire or revoke`);
  }
}

/** What the run before printed: Pulumi hands it on (addPreviousOutputInEnv); it holds no secret. */
function recorded() {
  const before = process.env.PULUMI_COMMAND_STDOUT;
  return before ? JSON.parse(before) : undefined;
}

function print(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

main(process.argv[2]).catch((error: Error) => {
  // A message of our own holds no secret; of any other error only its name is known to hold none.
  console.error(
    error instanceof OperatorError ? error.message : `unexpected ${error.name}: ${error.stack?.split("\n")[1]?.trim()}`,
  );
  process.exitCode = 1;
});
