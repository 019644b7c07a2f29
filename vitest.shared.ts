import { defineConfig } from "vitest/config";

const conditions = ["@openclaw/source"];

/** Resolves workspace packages to their TypeScript sources, so that tests need no build. */
export default defineConfig({
  resolve: { conditions: [...conditions, "module", "browser", "development|production"] },
  ssr: { resolve: { conditions: [...conditions, "module", "node", "development|production"] } },
  test: { environment: "node", include: ["test/**/*.test.ts"], restoreMocks: true },
});
