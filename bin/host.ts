import { begin, end, keep } from "../src/host/tenure";
import { runVerb } from "../src/verbs";

/** `bin/host.ts VERB`: whose a registry host is, from its first delivery to its farewell. */
runVerb({ begin, keep, end });
