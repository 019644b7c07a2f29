import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { expect, test } from "vitest";
import { startWithProvider } from "../support/provider-gateway.ts";
import { chunk, completion } from "../support/stand-in-provider.ts";
import { aiSdkOf, CALLS, NOW_SCHEMA, now } from "./sdk-clients.ts";

const CALL = { ...CALLS[1], index: 0 };
const tools = { now: tool({ inputSchema: jsonSchema<object>(NOW_SCHEMA), execute: now }) };

/** A gateway whose provider's model thinks before it calls, as DeepSeek's and Kimi's do. */
function startThinker() {
  return startWithProvider({
    agent: { exposeReasoning: "reasoning_content" },
    async script(exchange, index) {
      const message = { role: "assistant", content: null, reasoning_content: "What time?", tool_calls: [CALL] };
      const { stream } = exchange.json;
      if (index > 0 && !stream) return exchange.answer(200, completion("noon"));
      if (!stream) return exchange.answer(200, { choices: [{ index: 0, message, finish_reason: "tool_calls" }] });
      exchange.open();
      if (index > 0) await exchange.say("noon");
      else
        for (const delta of [{ reasoning_content: "What time?" }, { tool_calls: [CALL] }])
          await exchange.event(chunk(delta));
      exchange.finish(index > 0 ? "stop" : "tool_calls");
    },
  });
}

// Such models refuse the results of their calls (400) when what they thought before the call does not come back with it.
for (const user of [undefined, "ann"]) {
  for (const streamed of [true, false]) {
    const way = `${streamed ? "streamed" : "whole"}, ${user ? "in" : "without"} a session`;

    test(`AI SDK: the reasoning that it sends back with a call reaches the provider, ${way}`, async () => {
      const { url, provider } = await startThinker();
      const providerOptions = { openclaw: user === undefined ? {} : { user } };
      const options = { model: aiSdkOf(url), prompt: "hi", tools, stopWhen: stepCountIs(3), providerOptions };
      const result = streamed ? streamText(options) : await generateText(options);
      expect(await result.text).toBe("noon");
      expect(provider.exchanges[1]?.json.messages[1]).toMatchObject({
        tool_calls: [{ id: "call_b" }],
        reasoning_content: "What time?",
      });
    });
  }
}
