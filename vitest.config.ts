import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Against hanging, not for speed: several times what the slowest take where other work has both cores.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Interop suites start several servers each: two files at a time keep a two-core machine honest.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: "all", include: ["test/**/*.test.ts"] } },
      {
        // What goes through the sockets most, once more where UDP is done the portable way (src/server/udp-choice.ts).
        extends: true,
        test: {
          name: "portable UDP",
          include: [
            "test/interop/answers.test.ts",
            "test/interop/updates-*.test.ts",
            "test/scenario/{forward,hostile-peers,reload}.test.ts",
          ],
          env: { ROLLCALL_PORTABLE_UDP: "1" },
        },
      },
    ],
  },
});
