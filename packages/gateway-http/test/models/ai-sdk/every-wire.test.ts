import { ask, askStream, hi } from "../../support/chat.ts";
import type { Wire } from "../../wires/wire.ts";
import { both, onEveryWire, same, seen, tool } from "./on-wire.ts";

const ONE_CALL = [{ id: "call_a", name: "weather", args: ['{"city":"Oslo"}'] }];

onEveryWire(
  "the wires differ in one line of config, and their answers not in one byte",
  { steps: [{ thoughts: ["Hm."], text: ["I look."], calls: ONE_CALL }, { text: ["Sun."] }, "rate"] },
  async (on) => {
    const body = hi({ tools: [tool("weather")] });
    const { raw } = await askStream(on, body);
    const whole = await (await on.request("/v1/chat/completions", { body })).text();
    const refused = await ask(on, body);
    // But for the name of the model itself.
    const neutral = (text: string) =>
      text
        .replace(/chatcmpl-[\w-]+/g, "<id>")
        .replace(/"created":\d+/g, '"created":0')
        .replace(/,"openclaw":\{"model":"[^"]+"\}/g, "");
    return { stream: neutral(raw), whole: neutral(whole), refused: Object.keys(refused.json.error) };
  },
  {
    stream: [
      { role: "assistant", content: "" },
      { reasoning_content: "Hm." },
      { content: "I look." },
      { tool_calls: [{ index: 0, id: "call_a", type: "function", function: { name: "weather", arguments: "" } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"city":"Oslo"}' } }] },
      {},
    ]
      .map((delta, index, { length }) => frame(delta, index === length - 1 ? "tool_calls" : null))
      .concat("data: [DONE]\n\n")
      .join(""),
    whole: JSON.stringify({
      id: "<id>",
      object: "chat.completion",
      created: 0,
      model: "openclaw",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "Sun.", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
    }),
    refused: ["message", "type", "param", "code"],
  },
);

function frame(delta: object, finish_reason: string | null): string {
  const choices = [{ index: 0, delta, finish_reason }];
  const chunk = { id: "<id>", object: "chat.completion.chunk", created: 0, model: "openclaw", choices };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

onEveryWire(
  "words come as they are, streamed and whole",
  { steps: [{ text: ["Grüß ", "dich, ", "🌍!\n"] }] },
  (on) => both(on),
  same(seen({ text: "Grüß dich, 🌍!\n" })),
);

onEveryWire(
  "thoughts come before words, each under its own name",
  { steps: [{ thoughts: ["Let me ", "think."], text: ["Yes."] }] },
  (on) => both(on),
  same(seen({ thoughts: "Let me think.", text: "Yes." })),
);

onEveryWire(
  "usage has cache reads and thoughts in it",
  { steps: [{ text: ["Hi"], usage: { input: 100, cached: 40, output: 20, reasoning: 5 } }] },
  (on) => both(on),
  (wire: Wire) =>
    same(
      seen({
        text: "Hi",
        usage: {
          prompt_tokens: 100,
          completion_tokens: 20,
          total_tokens: 120,
          prompt_tokens_details: { cached_tokens: 40 },
          // Bedrock does not say.
          ...(wire.name !== "bedrock-converse-stream" && { completion_tokens_details: { reasoning_tokens: 5 } }),
        },
      }),
    ),
);

onEveryWire(
  "calls of tools keep their ids, order and arguments, also side by side and behind words",
  {
    steps: [
      {
        text: ["I look."],
        calls: [
          { id: "call_a", name: "weather", args: ['{"ci', 'ty":"Oslo"}'] },
          { id: "call_b", name: "weather", args: ['{"city":', '"Rome"}'] },
          { id: "call_c", name: "now", args: ["{}"] },
        ],
      },
    ],
  },
  (on) => both(on, { tools: [tool("weather"), tool("now")] }),
  same(
    seen({
      text: "I look.",
      calls: [
        { id: "call_a", name: "weather", args: '{"city":"Oslo"}' },
        { id: "call_b", name: "weather", args: '{"city":"Rome"}' },
        { id: "call_c", name: "now", args: "{}" },
      ],
      finish: "tool_calls",
    }),
  ),
);

onEveryWire(
  "arguments are told as they are written, where the wire has them in pieces",
  { steps: [{ calls: [{ id: "call_a", name: "weather", args: ['{"ci', 'ty":', '"Oslo"}'] }] }] },
  async (on) => {
    const { chunks } = await askStream(on, hi({ tools: [tool("weather")] }));
    const pieces = chunks.map(({ choices }) => choices[0]?.delta.tool_calls?.[0]?.function?.arguments);
    return pieces.filter(Boolean);
  },
  (wire: Wire) => (wire.name === "google-generative-ai" ? ['{"city":"Oslo"}'] : ['{"ci', 'ty":', '"Oslo"}']),
);

onEveryWire(
  "a limit and the choice of a tool reach the provider",
  { steps: [{ calls: [{ id: "call_a", name: "now", args: ["{}"] }] }] },
  async (on) => {
    const tool_choice = { type: "function", function: { name: "now" } };
    await ask(on, hi({ max_completion_tokens: 50, tools: [tool("weather"), tool("now")], tool_choice }));
    return on.standIn.asked[0]?.asked;
  },
  { maxTokens: 50, mustCall: "now" },
);

for (const finish of ["length", "content_filter"] as const) {
  onEveryWire(
    `an answer that ends with ${finish} says so`,
    { steps: [{ text: ["Half"], finish }] },
    (on) => both(on),
    same(seen({ text: "Half", finish })),
  );
}

onEveryWire(
  "a filter that lets no word through is an error",
  { steps: [{ finish: "content_filter" }] },
  async (on) => {
    const { status, json } = await ask(on, hi());
    return { status, code: json.error.code };
  },
  { status: 400, code: "content_filter" },
);
