import { expect, test } from "vitest";
import { anthropic } from "../../wires/anthropic.ts";
import { startWire } from "../../wires/start-wire.ts";

test("a stand-in that cannot read what it was asked answers 500 and does not hang", async () => {
  const { baseUrl } = await startWire(anthropic, [{ text: ["Hi"] }]);
  const signal = AbortSignal.timeout(20_000);
  const response = await fetch(`${baseUrl}/v1/nothing`, { method: "POST", body: "{}", signal });
  expect(response.status).toBe(500);
  expect(await response.text()).toContain("no such path");
});
