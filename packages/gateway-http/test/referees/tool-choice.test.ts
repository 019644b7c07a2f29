import { generateText, jsonSchema } from "ai";
import { expect, test } from "vitest";
import { startWithProvider } from "../support/provider-gateway.ts";
import { completion } from "../support/stand-in-provider.ts";
import { aiSdkOf, CALLS, langChainOf, openaiOf, SUM_SCHEMA, TOOLS } from "./sdk-clients.ts";

const FUNCTION = { type: "function" as const, function: { name: "sum" } };

/** What reached the provider of a gateway when a client asked this. */
async function reached(ask: (url: string) => Promise<unknown>) {
  const { url, provider } = await startWithProvider({
    script(exchange) {
      const { tool_choice } = exchange.json;
      if (tool_choice === undefined || tool_choice === "auto" || tool_choice === "none") {
        return exchange.answer(200, completion("no need"));
      }
      // The AI SDK holds the model to it.
      const message = { role: "assistant", content: null, tool_calls: CALLS.slice(0, 1) };
      exchange.answer(200, { choices: [{ index: 0, message, finish_reason: "tool_calls" }] });
    },
  });
  await ask(url);
  return provider.exchanges.at(-1)?.json;
}

for (const tool_choice of ["auto", "none", "required", FUNCTION] as const) {
  const name = JSON.stringify(tool_choice);
  for (const parallel_tool_calls of [true, false]) {
    test(`openai: tool_choice ${name} and parallel_tool_calls ${parallel_tool_calls} reach the provider as sent`, async () => {
      const request = { model: "openclaw", tools: TOOLS, tool_choice, parallel_tool_calls };
      const messages = [{ role: "user" as const, content: "hi" }];
      const got = await reached((url) => openaiOf(url).chat.completions.create({ ...request, messages }));
      expect(got).toMatchObject({ tools: TOOLS, tool_choice, parallel_tool_calls, messages });
    });
  }

  test(`AI SDK: its word for tool_choice ${name} reaches the provider as it writes it`, async () => {
    const toolChoice =
      typeof tool_choice === "string" ? tool_choice : { type: "tool" as const, toolName: "sum" as const };
    const tools = { sum: { description: "adds one", inputSchema: jsonSchema(SUM_SCHEMA) } };
    // `parallel_tool_calls` has no name of its own there: what is under the provider's name goes along as it is.
    const providerOptions = { openclaw: { parallel_tool_calls: false } };
    const got = await reached((url) =>
      generateText({ model: aiSdkOf(url), prompt: "hi", tools, toolChoice, providerOptions }),
    );
    expect(got).toMatchObject({ tools: TOOLS.slice(0, 1), tool_choice, parallel_tool_calls: false });
  });

  test(`LangChain: its word for tool_choice ${name} reaches the provider as it writes it`, async () => {
    const word = typeof tool_choice === "string" ? tool_choice : "sum";
    const got = await reached((url) =>
      langChainOf(url).bindTools(TOOLS, { tool_choice: word, parallel_tool_calls: false }).invoke("hi"),
    );
    expect(got).toMatchObject({ tools: TOOLS, tool_choice, parallel_tool_calls: false });
  });
}

test("without a word about it the provider is told nothing about tool_choice", async () => {
  const messages = [{ role: "user" as const, content: "hi" }];
  const got = await reached((url) =>
    openaiOf(url).chat.completions.create({ model: "openclaw", tools: TOOLS, messages }),
  );
  expect(got).not.toHaveProperty("tool_choice");
  expect(got).not.toHaveProperty("parallel_tool_calls");
});
