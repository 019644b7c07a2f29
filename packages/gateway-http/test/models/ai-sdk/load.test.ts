import { expect, test, vi } from "vitest";
import { libraryOf } from "../../../src/models/ai-sdk/apis.ts";
import { ask, hi } from "../../support/chat.ts";
import { anthropic } from "../../wires/anthropic.ts";
import { startOnWire } from "./on-wire.ts";

test("a package that cannot be loaded is the operator's error, until it can be", async () => {
  const load = vi.spyOn(libraryOf("anthropic-messages"), "load").mockRejectedValue(new Error("no such file"));
  const on = await startOnWire(anthropic, { steps: [{ text: ["Hi"] }] });
  for (const stream of [true, false]) {
    const { response, status, json } = await ask(on, hi({ stream }));
    expect(status).toBe(502);
    expect(json.error).toMatchObject({
      code: "provider_error",
      message: "The package @ai-sdk/anthropic cannot be loaded.",
    });
    expect(response.headers.get("x-should-retry")).toBe("false");
  }
  load.mockRestore();
  expect((await ask(on)).text).toBe("Hi");
});
