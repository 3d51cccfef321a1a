import fc from "fast-check";

/** For every mutant the same few samples: one that lives then dies of an exact test, and not by luck. */
fc.configureGlobal({ seed: 1, numRuns: 25 });
