import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{src,sandbox,bench,tools,tests}/**/*.test.ts"],
    // Some tests start a registry, an sshd or the Pulumi engine.
    testTimeout: 300_000,
    // They wait for those two thirds of the time.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    hookTimeout: 600_000,
    reporters: [process.env.CI ? ["default", { summary: false }] : "default", "./tests/reporter.ts"],
  },
});
