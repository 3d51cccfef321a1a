import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts", "sandbox/**/*.test.ts"],
    // Some tests start a registry, an sshd or the Pulumi engine.
    testTimeout: 300_000,
    // They mostly wait for those; vitest's own default leaves a processor idle.
    maxWorkers: "100%",
    hookTimeout: 600_000,
    reporters: [process.env.CI ? ["default", { summary: false }] : "default", "./tests/reporter.ts"],
  },
});
