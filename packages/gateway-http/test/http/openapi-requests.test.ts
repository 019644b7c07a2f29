import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { type AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { startWithCalls } from "../referees/calls-provider.ts";
import { NOW_SCHEMA, now, SUM_SCHEMA, sum, TOOLS } from "../referees/sdk-clients.ts";
import { hi } from "../support/chat.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";
import { fetchContract, startDocumented } from "./openapi.ts";

const HI = { role: "user" as const, content: "hi" };
const user = (content: unknown) => hi({ messages: [{ role: "user", content }] });

/** A gateway whose model makes calls first, and a `fetch` that keeps the bodies it sends. */
async function startRecording() {
  const door = await startWithCalls();
  const bodies: unknown[] = [];
  const record: typeof fetch = async (input, init) => {
    if (typeof init?.body === "string") bodies.push(JSON.parse(init.body));
    return fetch(input, init);
  };
  const { accepts } = await fetchContract(door);
  return {
    baseURL: `${door.url}/v1`,
    record,
    /** Insists that so many requests were sent, and that the document says that they are accepted. */
    expectAccepted(count: number) {
      expect(bodies).toHaveLength(count);
      for (const body of bodies) expect(accepts("ChatCompletionRequest", body), JSON.stringify(body)).toBe(true);
    },
  };
}

for (const stream of [false, true]) {
  const how = stream ? ", streamed" : "";

  test(`what the openai package sends of a tool loop is documented${how}`, async () => {
    const { baseURL, record, expectAccepted } = await startRecording();
    const { completions } = new OpenAI({ baseURL, apiKey: TOKEN, maxRetries: 0, fetch: record }).chat;
    const ask = async (messages: OpenAI.ChatCompletionMessageParam[]) => {
      const request = { model: "openclaw", messages, tools: TOOLS, user: "ann", seed: 1, store: false, stop: ["X"] };
      if (!stream) return (await completions.create(request)).choices[0]?.message;
      return completions.stream({ ...request, stream_options: { include_usage: true } }).finalMessage();
    };
    const called = (await ask([HI])) as OpenAI.ChatCompletionMessage;
    const results = called.tool_calls?.map(({ id }) => ({ role: "tool" as const, tool_call_id: id, content: "5" }));
    expect(results).toHaveLength(2);
    expect((await ask([HI, called, ...(results ?? [])]))?.content).toBe("5 at noon");
    expectAccepted(2);
  });

  test(`what the AI SDK sends of a tool loop is documented${how}`, async () => {
    const { baseURL, record, expectAccepted } = await startRecording();
    const provider = createOpenAICompatible({
      name: "openclaw",
      baseURL,
      apiKey: TOKEN,
      includeUsage: true,
      fetch: record,
    });
    const tools = {
      sum: tool({ inputSchema: jsonSchema<{ a: number }>(SUM_SCHEMA), execute: sum }),
      now: tool({ inputSchema: jsonSchema<object>(NOW_SCHEMA), execute: now }),
    };
    const request = { model: provider("openclaw"), prompt: "hi", tools, stopWhen: stepCountIs(5), temperature: 0 };
    const text = stream ? await streamText(request).text : (await generateText(request)).text;
    expect(text).toBe("5 at noon");
    expectAccepted(2);
  });

  test(`what LangChain sends of a tool loop is documented${how}`, async () => {
    const { baseURL, record, expectAccepted } = await startRecording();
    const configuration = { baseURL, fetch: record };
    const model = new ChatOpenAI({ model: "openclaw", apiKey: TOKEN, maxRetries: 0, configuration });
    const bound = model.bindTools(TOOLS);
    const ask = async (messages: (HumanMessage | AIMessage | ToolMessage)[]) => {
      if (!stream) return bound.invoke(messages);
      const chunks = [];
      for await (const chunk of await bound.stream(messages)) chunks.push(chunk);
      return chunks.reduce((sum, chunk) => sum.concat(chunk));
    };
    const asked = new HumanMessage("hi");
    const called = await ask([asked]);
    const results = called.tool_calls?.map(({ id }) => new ToolMessage({ content: "5", tool_call_id: id ?? "" })) ?? [];
    expect(results).toHaveLength(2);
    expect((await ask([asked, called, ...results])).content).toBe("5 at noon");
    expectAccepted(2);
  });
}

const PIXEL = `data:image/png;base64,${Buffer.from("89504e470d0a1a0a", "hex").toString("base64")}`;
const FUNCTION = { type: "function", function: { name: "f" } };
const nothing = { temperature: null, tools: null, stop: null, user: null, n: null, audio: null, stream_options: null };

/** Bodies that are served, and those that are refused: the document and the gateway have to agree on each. */
const ACCEPTED: object[] = [
  hi(),
  hi(nothing),
  hi({ tools: [], stop: [], somethingNew: { deep: true } }),
  hi({ n: 1, logprobs: false, top_logprobs: 0, modalities: ["text"], functions: null, function_call: null }),
  hi({ stop: "x", temperature: 0, top_p: 1, presence_penalty: -2, seed: -1, max_tokens: 1, reasoning_effort: "low" }),
  hi({ tools: [FUNCTION], tool_choice: "required", parallel_tool_calls: false }),
  hi({ tools: [FUNCTION], tool_choice: FUNCTION }),
  hi({ response_format: { type: "json_object" }, metadata: { a: "b" } }),
  hi({ stream: true, stream_options: { include_usage: true } }),
  user([{ type: "text", text: "hi", more: 1 }]),
  hi({ messages: [{ role: "developer", content: "Be brief." }, HI, { role: "assistant" }, HI] }),
];

const REFUSED: object[] = [
  {},
  hi({ messages: [] }),
  hi({ messages: [{ role: "system", content: "x" }] }),
  hi({ messages: [{ role: "robot", content: "x" }] }),
  hi({ messages: [HI, { role: "function", name: "f", content: "x" }] }),
  hi({ messages: [HI, { role: "assistant", function_call: {} }] }),
  hi({
    messages: [HI, { role: "assistant", tool_calls: [{ id: "1", type: "custom", custom: { name: "", input: "" } }] }],
  }),
  hi({ messages: [HI, { role: "tool", content: "x" }] }),
  user(5),
  user([{ type: "image_url", image_url: PIXEL }]),
  user([{ type: "video" }]),
  hi({ model: "m".repeat(257) }),
  hi({ temperature: 2.1 }),
  hi({ top_p: "1" }),
  hi({ frequency_penalty: -3 }),
  hi({ seed: 0.5 }),
  hi({ max_completion_tokens: 0 }),
  hi({ stop: ["1", "2", "3", "4", "5"] }),
  hi({ stop: "" }),
  hi({ n: 2 }),
  hi({ logprobs: true }),
  hi({ top_logprobs: 1 }),
  hi({ modalities: ["audio"] }),
  hi({ audio: {} }),
  hi({ functions: [] }),
  hi({ function_call: "auto" }),
  hi({ stream_options: {} }),
  hi({ stream: 1 }),
  hi({ tools: [{ type: "custom", custom: { name: "f" } }] }),
  hi({ tools: [{ type: "function", function: { name: "a b" } }] }),
  hi({ tools: Array.from({ length: 129 }, () => FUNCTION) }),
  hi({ tools: [FUNCTION], tool_choice: { type: "custom" } }),
  hi({ response_format: { type: "xml" } }),
  hi({ response_format: { type: "json_schema", json_schema: {} } }),
  hi({ metadata: { a: 1 } }),
  hi({ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [index, ""])) }),
  hi({ messages: Array.from({ length: 2049 }, () => HI) }),
];

test("the document and the gateway agree on which requests are accepted", async () => {
  const { contract, call } = await startDocumented();
  for (const [bodies, isAccepted] of [
    [ACCEPTED, true],
    [REFUSED, false],
  ] as const) {
    for (const body of bodies) {
      const text = JSON.stringify(body).slice(0, 300);
      expect(contract.accepts("ChatCompletionRequest", body), text).toBe(isAccepted);
      await call(isAccepted ? 200 : 400, "POST", "/v1/chat/completions", body);
    }
  }
});

test("images are documented as they are sent", async () => {
  const { accepts } = await fetchContract(await startGateway());
  const image = { type: "image_url", image_url: { url: PIXEL, detail: null } };
  const audio = { type: "input_audio", input_audio: { data: "", format: "wav" } };
  expect(accepts("ChatCompletionRequest", user([image, audio, { type: "file", file: { file_id: "f" } }]))).toBe(true);
});
