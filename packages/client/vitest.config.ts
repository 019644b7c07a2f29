import { mergeConfig } from "vitest/config";
import shared from "../../vitest.shared.ts";

export default mergeConfig(shared, {
  test: {
    name: "client",
    typecheck: { enabled: true, checker: "tsc", spawnTimeout: 60_000, include: ["test/**/*.test-d.ts"] },
  },
});
