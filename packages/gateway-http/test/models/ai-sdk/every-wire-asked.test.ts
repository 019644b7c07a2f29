import { ask, askStream, hi } from "../../support/chat.ts";
import type { Wire } from "../../wires/wire.ts";
import { onEveryWire, tool, withoutSignature } from "./on-wire.ts";

const PNG =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

onEveryWire(
  "the provider hears instructions, pictures, calls and results as they were said",
  { steps: [{ text: ["A dot."] }] },
  async (on) => {
    await ask(on, {
      model: "openclaw",
      tools: [tool("weather")],
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "And the weather?" },
        {
          role: "assistant",
          content: "I look.",
          tool_calls: [
            { id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } },
            { id: "call_b", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } },
          ],
        },
        { role: "tool", tool_call_id: "call_a", content: "rain" },
        { role: "tool", tool_call_id: "call_b", content: "sun" },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: PNG } },
          ],
        },
      ],
    });
    const [asked] = on.standIn.asked;
    return { model: asked?.model, talk: asked?.talk.map(withoutSignature), tools: asked?.tools };
  },
  (wire: Wire) => ({
    model: wire.model,
    talk: [
      { from: "system", text: "Be brief." },
      { from: "user", text: "And the weather?" },
      { from: "assistant", text: "I look." },
      { from: "assistant", call: "call_a", name: "weather", input: { city: "Oslo" } },
      { from: "assistant", call: "call_b", name: "weather", input: { city: "Rome" } },
      { from: "tool", result: "call_a", text: "rain" },
      { from: "tool", result: "call_b", text: "sun" },
      { from: "user", text: "What is this?" },
      { from: "user", image: PNG },
    ],
    tools: ["weather"],
  }),
);

const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

onEveryWire(
  "a schema for the answer reaches the provider",
  { steps: [{ text: ['{"city":"Oslo"}'] }] },
  async (on) => {
    const json_schema = { name: "place", schema: SCHEMA, strict: true };
    const { text } = await ask(on, hi({ response_format: { type: "json_schema", json_schema } }));
    return { text, schema: on.standIn.asked[0]?.schema };
  },
  { text: '{"city":"Oslo"}', schema: SCHEMA },
);

onEveryWire(
  "what authenticates is the provider's own header, and the config's headers come along",
  { steps: [{ text: ["Hi"] }], provider: { headers: { "X-Team": "red" } } },
  async (on) => {
    await askStream(on);
    const headers = on.standIn.asked[0]?.headers ?? {};
    const key = headers["x-api-key"] ?? headers["x-goog-api-key"] ?? headers.authorization;
    return { key, team: headers["x-team"] };
  },
  (wire: Wire) => ({ key: keyOf(wire), team: "red" }),
);

function keyOf({ name, provider }: Wire): string {
  const isBare = name === "anthropic-messages" || name === "google-generative-ai";
  return isBare ? provider.apiKey : `Bearer ${provider.apiKey}`;
}
