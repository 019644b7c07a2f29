import { expect, test } from "vitest";
import { refuseIgnored } from "../../../src/models/ai-sdk/refuse-ignored.ts";
import { ask, hi } from "../../support/chat.ts";
import { bedrock } from "../../wires/bedrock.ts";
import { startOnWire, tool, withoutSignature } from "./on-wire.ts";

const TALK = [
  { role: "user", content: "And the weather?" },
  {
    role: "assistant",
    content: "I look.",
    tool_calls: [
      { id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } },
      { id: "call_b", type: "function", function: { name: "the.time", arguments: "[1]" } },
    ],
  },
  { role: "tool", tool_call_id: "call_a", content: "rain" },
  { role: "tool", tool_call_id: "call_b", content: "noon" },
  { role: "user", content: "Thanks." },
];

const HEARD = [
  { from: "user", text: "And the weather?" },
  { from: "assistant", text: "I look." },
  { from: "assistant", call: "call_a", name: "weather", input: { city: "Oslo" } },
  { from: "assistant", call: "call_b", name: "thetime", input: {} },
  { from: "tool", result: "call_a", text: "rain" },
  { from: "tool", result: "call_b", text: "noon" },
  { from: "user", text: "Thanks." },
];

async function heardOn(body: Record<string, unknown>) {
  const on = await startOnWire(bedrock, { steps: [{ text: ["Hi"] }] });
  expect((await ask(on, hi(body))).status).toBe(200);
  const asked = on.standIn.asked[0];
  return { talk: asked?.talk.map(withoutSignature), toolConfig: asked?.json.toolConfig };
}

test("Bedrock hears calls and results although no tools go along", async () => {
  const { talk, toolConfig } = await heardOn({ messages: TALK });
  expect(talk).toEqual(HEARD);
  const inputSchema = { json: { type: "object", properties: {} } };
  expect(toolConfig).toEqual({
    tools: [{ toolSpec: { name: "weather", inputSchema } }, { toolSpec: { name: "thetime", inputSchema } }],
  });
});

test("Bedrock hears calls and results although none may be made now", async () => {
  const { talk, toolConfig } = await heardOn({ messages: TALK, tools: [tool("weather")], tool_choice: "none" });
  expect(talk).toEqual(HEARD);
  expect(toolConfig).toEqual({ tools: [{ toolSpec: expect.objectContaining({ name: "weather" }) }] });
});

test("where nothing was called Bedrock is told of no tools that may not be called", async () => {
  expect((await heardOn({ tools: [tool("weather")], tool_choice: "none" })).toolConfig).toBeUndefined();
  expect((await heardOn({})).toolConfig).toBeUndefined();
});

test("a talk that lost its calls is not answered", () => {
  expect(() => refuseIgnored([{ type: "unsupported", feature: "toolContent" }])).toThrow(
    expect.objectContaining({ code: "unsupported_parameter", param: "messages" }),
  );
});
