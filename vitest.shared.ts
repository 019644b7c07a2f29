import { defineConfig } from "vitest/config";

const conditions = ["@openclaw/source"];

/** Resolves workspace packages to their TypeScript sources, so that tests need no build. */
export default defineConfig({
  resolve: { conditions: [...conditions, "module", "browser", "development|production"] },
  ssr: { resolve: { conditions: [...conditions, "module", "node", "development|production"] } },
  test: {
    environment: "node",
    include: ["test/**/*.test.ts"],
    restoreMocks: true,
    // How long to wait before giving up on something that will not come. A machine that is busy is slow, not wrong.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 10_000, interval: 10 } },
  },
});
