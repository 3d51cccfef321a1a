import { OperatorError } from "./error";

/**
 * Runs what a make target calls. Its exit code is the command's; a mistake of the operator is shown as its message alone,
 * without a stack trace, and exits with 2.
 * @param main takes the words of the command line
 */
export async function runCommand(main: (args: string[]) => number | Promise<number>): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    // parseArgs throws a TypeError with a code for a word it does not know.
    const usage = error instanceof OperatorError || (error instanceof TypeError && "code" in error);
    console.error(usage ? error.message : error);
    process.exitCode = 2;
  }
}
