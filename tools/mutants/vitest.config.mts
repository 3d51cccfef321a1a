import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** The tests that `make mutants` runs for every mutant: of the pure rooms, those that start nothing and try no sizes. */
export default defineConfig({
  root: resolve(import.meta.dirname, "../.."),
  test: {
    include: [
      "src/{config,review,settings,zot}/**/*.test.ts",
      "src/credentials/{labels,rotation,handover}.test.ts",
      "tests/{decisions,doublestar}.test.ts",
    ],
    exclude: ["src/review/table-size.test.ts"],
    setupFiles: ["tools/mutants/setup.ts"],
    testTimeout: 120_000,
  },
});
