import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const room = (name: string, include: string[], more: object = {}) => ({
  extends: true as const,
  test: { name, include, ...more },
});

/** `npx vitest --project unit` watches what starts nothing; host starts registries and sshd, engine the Pulumi engine. */
export default defineConfig({
  test: {
    testTimeout: 300_000,
    // They wait two thirds of the time.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    hookTimeout: 600_000,
    reporters: [process.env.CI ? ["default", { summary: false }] : "default", "./tests/reporter.ts"],
    projects: [
      // Nothing there leaves anything behind for the next file, and loading it all anew takes longer than the tests.
      room("unit", ["{src,sandbox}/**/*.test.ts"], { isolate: false }),
      room("host", ["{bench,tools,tests}/**/*.test.ts"], { exclude: ["tests/engine/**"] }),
      room("engine", ["tests/engine/**/*.test.ts"]),
    ],
  },
});
