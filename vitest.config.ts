import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // By itself it leaves one core free, and of two that is half: many of these tests wait more than they work.
    maxWorkers: "100%",
    projects: [
      "packages/*",
      {
        test: {
          name: "e2e",
          root: "./e2e",
          include: ["**/*.e2e.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
    ],
  },
});
