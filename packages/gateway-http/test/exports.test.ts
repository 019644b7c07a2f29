import { expect, test } from "vitest";
import * as index from "../src/index.ts";

test("the package exports these names", () => {
  expect(Object.keys(index).sort()).toMatchInlineSnapshot(`
    [
      "ConfigError",
      "GatewayError",
      "StateLockedError",
      "createGateway",
      "defineAgent",
      "loadConfig",
    ]
  `);
});
