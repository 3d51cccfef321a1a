import { ensurePulumi } from "./pulumi/pulumi";

/** `make test` on a new machine: the engine is built before the clock of any test runs, and beside none. */
ensurePulumi({ log: console.error }).catch(({ message }: Error) => {
  console.error(message);
  process.exitCode = 1;
});
