import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import type { RunnableTools } from "openai/lib/RunnableFunction";
import { expect, test } from "vitest";
import { type GatewayWithCalls, messagesOf, startWithCalls } from "./calls-provider.ts";
import { aiSdkOf, CALLS, langChainOf, NOW_SCHEMA, now, openaiOf, SUM_SCHEMA, sum, TOOLS } from "./sdk-clients.ts";

const HI = { role: "user" as const, content: "hi" };

/** What the provider must have been asked when the client had run both calls: nothing twice, nothing lost. */
const FOLLOW_UP = [
  { role: "user", content: "hi" },
  { role: "assistant", tool_calls: CALLS },
  { role: "tool", tool_call_id: "call_a", content: "5" },
  { role: "tool", tool_call_id: "call_b", content: "noon" },
];
/** The same from clients that write the arguments anew, from what they read of them. */
const REWRITTEN = JSON.parse(JSON.stringify(FOLLOW_UP).replace(": 4", ":4")) as typeof FOLLOW_UP;

/** Insists that the provider was asked twice, the second time this, and that a session has one straight talk of it. */
async function expectFollowedUp({ provider, request }: GatewayWithCalls, user: string | undefined, told = FOLLOW_UP) {
  expect(provider.exchanges).toHaveLength(2);
  expect(messagesOf(provider.exchanges[1])).toEqual(told);
  const { data } = (await (await request("/v1/sessions")).json()) as { data: object[] };
  expect(data).toMatchObject(user === undefined ? [] : [{ branches: 1, messages: 5 }]);
}

const runnable: RunnableTools<[{ a: number }, string]> = [
  {
    type: "function",
    function: { name: "sum", description: "adds one", parameters: SUM_SCHEMA, parse, function: sum },
  },
  { type: "function", function: { name: "now", description: "the time", parameters: NOW_SCHEMA, function: now } },
];
function parse(text: string): { a: number } {
  return JSON.parse(text);
}
const tools = {
  sum: tool({ inputSchema: jsonSchema<{ a: number }>(SUM_SCHEMA), execute: sum }),
  now: tool({ inputSchema: jsonSchema<object>(NOW_SCHEMA), execute: now }),
};

for (const user of [undefined, "ann"]) {
  const where = user ? "in a session" : "without a session";
  const owned = user === undefined ? {} : { user };
  const providerOptions = { openclaw: owned };

  test(`openai: runTools comes to its end ${where}`, async () => {
    const gateway = await startWithCalls();
    const request = { model: "openclaw", messages: [HI], tools: runnable, ...owned };
    const runner = openaiOf(gateway.url).chat.completions.runTools({ ...request, stream: true });
    expect(await runner.finalContent()).toBe("5 at noon");
    await expectFollowedUp(gateway, user);
  });

  test(`openai: runTools comes to its end, not streamed, ${where}`, async () => {
    const gateway = await startWithCalls();
    const request = { model: "openclaw", messages: [HI], tools: runnable, ...owned };
    expect(await openaiOf(gateway.url).chat.completions.runTools(request).finalContent()).toBe("5 at noon");
    await expectFollowedUp(gateway, user);
  });

  test(`AI SDK: streamText comes to the end of its steps ${where}`, async () => {
    const gateway = await startWithCalls();
    const options = { model: aiSdkOf(gateway.url), prompt: "hi", tools, stopWhen: stepCountIs(3), providerOptions };
    const result = streamText({ ...options, maxRetries: 0 });
    expect(await result.text).toBe("5 at noon");
    expect((await result.steps).map(({ finishReason }) => finishReason)).toEqual(["tool-calls", "stop"]);
    await expectFollowedUp(gateway, user, REWRITTEN);
  });

  test(`AI SDK: generateText comes to the end of its steps ${where}`, async () => {
    const gateway = await startWithCalls();
    const options = { model: aiSdkOf(gateway.url), prompt: "hi", tools, stopWhen: stepCountIs(3), providerOptions };
    const result = await generateText({ ...options, maxRetries: 0 });
    expect([result.text, result.steps.length]).toEqual(["5 at noon", 2]);
    await expectFollowedUp(gateway, user, REWRITTEN);
  });

  test(`LangChain: a follow-up with the results is answered, streamed or not, ${where}`, async () => {
    for (const streamed of [true, false]) {
      const gateway = await startWithCalls();
      const model = langChainOf(gateway.url, user).bindTools(TOOLS);
      const ask = async (messages: Parameters<typeof model.invoke>[0]) => {
        if (!streamed) return model.invoke(messages);
        const chunks = [];
        for await (const chunk of await model.stream(messages)) chunks.push(chunk);
        return chunks.reduce((sum, chunk) => sum.concat(chunk));
      };
      const asked = new HumanMessage("hi");
      const called = await ask([asked]);
      const results = (called.tool_calls ?? []).map(
        ({ id = "", name, args }) =>
          new ToolMessage({ tool_call_id: id, content: name === "sum" ? sum(args as { a: number }) : now() }),
      );
      expect((await ask([asked, called, ...results])).content).toBe("5 at noon");
      await expectFollowedUp(gateway, user, REWRITTEN);
    }
  });
}

test("openai: in a session the results alone are enough", async () => {
  const gateway = await startWithCalls();
  const client = openaiOf(gateway.url);
  const ask = (messages: Parameters<typeof client.chat.completions.create>[0]["messages"]) =>
    client.chat.completions.create({ model: "openclaw", tools: TOOLS, user: "ann", messages });
  await ask([HI]);
  await ask([
    { role: "tool", tool_call_id: "call_a", content: "5" },
    { role: "tool", tool_call_id: "call_b", content: "noon" },
  ]);
  await expectFollowedUp(gateway, "ann");
});
