import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Interop suites start several servers each: two files at a time keep a two-core machine honest.
    maxWorkers: 2,
  },
});
