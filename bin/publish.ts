import { publish, withdraw } from "../src/credentials/publish/program";
import { runVerb } from "../src/operator/verbs";

/** `bin/publish.ts VERB`: an identity's key to one destination, and back. What was written is printed, never a secret. */
runVerb({ publish, withdraw });
