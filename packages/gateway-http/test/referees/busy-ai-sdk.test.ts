import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText, type TextStreamPart, type ToolSet } from "ai";
import { expect, test } from "vitest";
import { TOKEN } from "../support/start-gateway.ts";
import { crowded, startBusy, TEXT, THOUGHT, WAYS } from "./busy-gateway.ts";
import { expectCrowded } from "./tap.ts";

async function start(reasoning: "reasoning_content" | "reasoning" = "reasoning_content") {
  const gateway = await startBusy(reasoning);
  const { url, tap } = gateway;
  const provider = createOpenAICompatible({
    name: "openclaw",
    baseURL: `${url}/v1`,
    apiKey: TOKEN,
    includeUsage: true,
    fetch: tap.fetch,
  });
  return { ...gateway, model: provider("openclaw:main") };
}

const TOKENS = { inputTokens: 7, outputTokens: 3, totalTokens: 10 };

for (const { keyed, way } of WAYS) {
  for (const reasoning of ["reasoning_content", "reasoning"] as const) {
    test(`AI SDK: streamText reads a crowded stream, ${reasoning} as reasoning parts${way}`, async () => {
      const { model, tap } = await start(reasoning);
      const result = streamText({ model, prompt: "hi", maxRetries: 0, headers: crowded(keyed) });
      const parts: TextStreamPart<ToolSet>[] = [];
      for await (const part of result.fullStream) parts.push(part);
      const said = (type: string) =>
        parts.map((part) => (part.type === type && "text" in part ? part.text : "")).join("");
      expect(parts.filter(({ type }) => type === "error")).toEqual([]);
      expect([said("text-delta"), said("reasoning-delta")]).toEqual([TEXT, THOUGHT]);
      expect(await result.text).toBe(TEXT);
      expect(await result.reasoningText).toBe(THOUGHT);
      expect(await result.finishReason).toBe("stop");
      expect(await result.usage).toMatchObject(TOKENS);
      expect(await result.warnings).toEqual([]);
      expectCrowded(tap.raw(), { keyed, reasoning });
      expect(await result.reasoning).toMatchObject([{ text: "Where was it?" }, { text: " I ask again." }]);
    });
  }

  test(`AI SDK: generateText has text, reasoning and usage of a busy agent${way}`, async () => {
    const { model } = await start();
    const result = await generateText({ model, prompt: "hi", maxRetries: 0, headers: crowded(keyed) });
    expect(result).toMatchObject({ text: TEXT, reasoningText: THOUGHT, finishReason: "stop", usage: TOKENS });
    expect(result.reasoning).toMatchObject([{ type: "reasoning", text: THOUGHT }]);
  });
}

test("AI SDK: a chunk's own activity is there for who asks for raw chunks", async () => {
  const { model } = await start();
  const result = streamText({
    model,
    prompt: "hi",
    headers: crowded(false),
    include: { rawChunks: true },
  });
  const activity = [];
  for await (const part of result.fullStream) {
    if (part.type === "raw") activity.push((part.rawValue as { openclaw?: { type: string } }).openclaw?.type ?? []);
  }
  expect(activity.flat()).toEqual(["tool-start", "tool-end", "tool-start", "tool-end"]);
});
