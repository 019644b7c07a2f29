import type { AIMessageChunk } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { expect, test } from "vitest";
import { TOKEN } from "../support/start-gateway.ts";
import { crowded, startBusy, TEXT, THOUGHT, WAYS } from "./busy-gateway.ts";
import { expectCrowded } from "./tap.ts";

async function start(keyed: boolean, reasoning: "reasoning_content" | "reasoning" = "reasoning_content") {
  const gateway = await startBusy(reasoning);
  const { url, tap } = gateway;
  const model = new ChatOpenAI({
    model: "openclaw:main",
    apiKey: TOKEN,
    maxRetries: 0,
    configuration: { baseURL: `${url}/v1`, fetch: tap.fetch, defaultHeaders: crowded(keyed) },
  });
  return { ...gateway, model };
}

const TOKENS = { input_tokens: 7, output_tokens: 3, total_tokens: 10 };

async function whole(chunks: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk> {
  let sum: AIMessageChunk | undefined;
  for await (const chunk of chunks) sum = sum?.concat(chunk) ?? chunk;
  return sum as AIMessageChunk;
}

for (const { keyed, way } of WAYS) {
  test(`LangChain: stream reads a crowded stream${way}`, async () => {
    const { model, tap } = await start(keyed);
    const answer = await whole(await model.stream("hi"));
    expect(answer.content).toBe(TEXT);
    expect(answer.additional_kwargs.reasoning_content).toBe(THOUGHT);
    expect(answer.response_metadata.finish_reason).toBe("stop");
    expect(answer.usage_metadata).toMatchObject(TOKENS);
    expect(answer.tool_calls).toEqual([]);
    expectCrowded(tap.raw(), { keyed, reasoning: "reasoning_content" });
  });

  test(`LangChain: invoke has text, reasoning and usage of a busy agent${way}`, async () => {
    const { model } = await start(keyed);
    const answer = await model.invoke("hi");
    expect(answer.content).toBe(TEXT);
    expect(answer.additional_kwargs.reasoning_content).toBe(THOUGHT);
    expect(answer.response_metadata.finish_reason).toBe("stop");
    expect(answer.usage_metadata).toMatchObject(TOKENS);
  });
}

test("LangChain: reasoning by its other name is passed over, and the text is whole", async () => {
  const { model, tap } = await start(false, "reasoning");
  const answer = await whole(await model.stream("hi"));
  expect(answer.content).toBe(TEXT);
  expect(answer.additional_kwargs).not.toHaveProperty("reasoning_content");
  expectCrowded(tap.raw(), { keyed: false, reasoning: "reasoning" });
});
