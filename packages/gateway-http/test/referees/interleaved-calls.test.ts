import { jsonSchema, streamText } from "ai";
import { expect, test } from "vitest";
import { startWithProvider } from "../support/provider-gateway.ts";
import { writeCalls } from "./calls-provider.ts";
import { aiSdkOf, CALLS, langChainOf, NOW_SCHEMA, openaiOf, SUM_SCHEMA, TOOLS } from "./sdk-clients.ts";

/**
 * A gateway whose provider begins a call and writes on only when the client has `saw` its first piece of arguments: were
 * any piece held back, nothing would ever come.
 */
async function start() {
  const { promise: seen, resolve: saw } = Promise.withResolvers<void>();
  const gateway = await startWithProvider({ script: (exchange) => writeCalls(exchange.open(), seen) });
  return { ...gateway, saw };
}

test("openai: two calls written by turns arrive as they are written, with their index and id", async () => {
  const { url, saw } = await start();
  const messages = [{ role: "user" as const, content: "hi" }];
  const request = { model: "openclaw", messages, tools: TOOLS, stream: true as const };
  const pieces = [];
  const reasons = [];
  for await (const { choices } of await openaiOf(url).chat.completions.create(request)) {
    for (const piece of choices[0]?.delta.tool_calls ?? []) {
      pieces.push(piece);
      if (piece.function?.arguments === '{"a"') saw();
    }
    reasons.push(choices[0]?.finish_reason ?? []);
  }
  expect(pieces).toEqual([
    { index: 0, id: "call_a", type: "function", function: { name: "sum", arguments: "" } },
    { index: 0, function: { arguments: '{"a"' } },
    { index: 1, id: "call_b", type: "function", function: { name: "now", arguments: "" } },
    { index: 1, function: { arguments: "{" } },
    { index: 0, function: { arguments: ": 4" } },
    { index: 1, function: { arguments: "}" } },
    { index: 0, function: { arguments: "}" } },
  ]);
  expect(reasons.flat()).toEqual(["tool_calls"]);
});

test("openai: the stream helper puts two calls written by turns together", async () => {
  const { url, saw } = await start();
  const messages = [{ role: "user" as const, content: "hi" }];
  const stream = openaiOf(url).chat.completions.stream({ model: "openclaw", messages, tools: TOOLS });
  stream.on("tool_calls.function.arguments.delta", ({ arguments_delta }) => arguments_delta === '{"a"' && saw());
  const { choices } = await stream.finalChatCompletion();
  expect(choices[0]?.finish_reason).toBe("tool_calls");
  expect(choices[0]?.message.tool_calls).toMatchObject(CALLS);
});

test("AI SDK: two calls written by turns arrive as they are written, with their ids", async () => {
  const { url, saw } = await start();
  const tools = {
    sum: { inputSchema: jsonSchema(SUM_SCHEMA) },
    now: { inputSchema: jsonSchema(NOW_SCHEMA) },
  };
  const pieces: [string, string][] = [];
  const result = streamText({ model: aiSdkOf(url), prompt: "hi", tools });
  for await (const part of result.fullStream) {
    expect(part.type).not.toBe("error");
    if (part.type !== "tool-input-delta" || part.delta === "") continue;
    pieces.push([part.id, part.delta]);
    saw();
  }
  expect(pieces).toEqual([
    ["call_a", '{"a"'],
    ["call_b", "{"],
    ["call_a", ": 4"],
    ["call_b", "}"],
    ["call_a", "}"],
  ]);
  expect(await result.finishReason).toBe("tool-calls");
  const calls = (await result.toolCalls).map(({ toolCallId, toolName, input }) => [toolCallId, toolName, input]);
  expect(calls.sort()).toEqual([
    ["call_a", "sum", { a: 4 }],
    ["call_b", "now", {}],
  ]);
});

test("LangChain: two calls written by turns arrive as they are written, with their index and id", async () => {
  const { url, saw } = await start();
  const pieces = [];
  let whole: Awaited<ReturnType<ReturnType<typeof langChainOf>["invoke"]>> | undefined;
  for await (const chunk of await langChainOf(url).bindTools(TOOLS).stream("hi")) {
    whole = whole?.concat(chunk) ?? chunk;
    for (const { index, id, args } of chunk.tool_call_chunks ?? []) {
      pieces.push([index, id, args]);
      if (args === '{"a"') saw();
    }
  }
  expect(pieces).toEqual([
    [0, "call_a", ""],
    [0, undefined, '{"a"'],
    [1, "call_b", ""],
    [1, undefined, "{"],
    [0, undefined, ": 4"],
    [1, undefined, "}"],
    [0, undefined, "}"],
  ]);
  expect(whole?.response_metadata.finish_reason).toBe("tool_calls");
  expect(whole?.tool_calls).toMatchObject([
    { id: "call_a", name: "sum", args: { a: 4 } },
    { id: "call_b", name: "now", args: {} },
  ]);
});
