import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      "packages/*",
      { test: { name: "e2e", root: "./e2e", include: ["**/*.e2e.ts"], testTimeout: 60_000, hookTimeout: 120_000 } },
    ],
  },
});
