import { expect, test } from "vitest";
import {
  chatCompletionChunkSchema,
  chatCompletionSchema,
  modelListSchema,
  runEventSchema,
  SSE_CONTENT_TYPE,
  SSE_DONE,
  SSE_DONE_FRAME,
  SSE_KEEP_ALIVE_FRAME,
  usageSchema,
} from "../src/index.ts";

const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1764000000, model: "openclaw:main" };
const chunk = (delta: object, more: object = {}) => ({
  ...head,
  choices: [{ index: 0, delta, finish_reason: null }],
  ...more,
});

const ours = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1764000000,
  model: "openclaw:main",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "hello", refusal: null, reasoning_content: "hm" },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: {
    ...usage,
    prompt_tokens_details: { cached_tokens: 40 },
    completion_tokens_details: { reasoning_tokens: 3 },
    openclaw: { calls: 1, last: { prompt_tokens: 100, completion_tokens: 20 } },
  },
};

/** As api.openai.com answers. */
const openai = {
  id: "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
  object: "chat.completion",
  created: 1741569952,
  model: "gpt-4.1-2025-04-14",
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        content: null,
        refusal: null,
        annotations: [],
        tool_calls: [{ id: "call_abc", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      logprobs: null,
      finish_reason: "tool_calls",
    },
  ],
  usage: {
    ...usage,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0 },
  },
  service_tier: "default",
  system_fingerprint: "fp_1",
};

test.each([
  ["ours", ours],
  ["OpenAI's", openai],
])("a completion is read as it is: %s", (_, completion) => {
  expect(chatCompletionSchema.parse(completion)).toEqual(completion);
});

test("a completion without usage is whole", () => {
  const { usage: _, ...rest } = ours;
  expect(chatCompletionSchema.parse(rest)).toEqual(rest);
});

test("a completion needs id, object, choices and a finish reason we know", () => {
  const [choice] = ours.choices;
  for (const broken of [
    { ...ours, id: undefined },
    { ...ours, object: "chat.completion.chunk" },
    { ...ours, choices: undefined },
    { ...ours, choices: [{ ...choice, finish_reason: "done" }] },
    { error: { message: "no" } },
  ]) {
    expect(chatCompletionSchema.safeParse(broken).success).toBe(false);
  }
});

test.each<[string, object]>([
  ["the role", chunk({ role: "assistant", content: "" })],
  ["text", chunk({ content: "tok" })],
  ["text, with usage to come", chunk({ content: "tok" }, { usage: null })],
  ["reasoning", chunk({ reasoning_content: "hm" })],
  ["reasoning under its other name", chunk({ reasoning: "hm" })],
  [
    "the first piece of a tool call",
    chunk({ tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "" } }] }),
  ],
  ["a later piece", chunk({ tool_calls: [{ index: 0, function: { arguments: '{"ci' } }] })],
  ["a finish", { ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }],
  ["the usage", { ...head, choices: [], usage }],
  ["a tool's start", chunk({}, { openclaw: { type: "tool-start", id: "t1", name: "search" } })],
  ["a tool's end", chunk({}, { openclaw: { type: "tool-end", id: "t1", ok: false } })],
  [
    "OpenAI's first chunk with tools",
    {
      ...chunk({
        role: "assistant",
        content: null,
        refusal: null,
        tool_calls: [{ index: 0, id: "c", type: "function" }],
      }),
      service_tier: "default",
      system_fingerprint: "fp_1",
      obfuscation: "x",
    },
  ],
])("a chunk is read as it is: %s", (_, value) => {
  expect(chatCompletionChunkSchema.parse(value)).toEqual(value);
});

test("an error frame is no chunk", () => {
  const error = { error: { message: "no", type: "api_error", param: null, code: "internal_error" } };
  expect(chatCompletionChunkSchema.safeParse(error).success).toBe(false);
});

test("unknown usage is left out, never undefined or null", () => {
  expect(usageSchema.safeParse({ ...usage, prompt_tokens_details: undefined }).success).toBe(false);
  expect(usageSchema.safeParse({ ...usage, completion_tokens: null }).success).toBe(false);
});

test("a model list keeps an agent's extra members", () => {
  const list = {
    object: "list",
    data: [
      { id: "openclaw/beta", object: "model", created: 1, owned_by: "openclaw", name: "Beta", abilities: ["tools"] },
    ],
  };
  expect(modelListSchema.parse(list)).toEqual(list);
});

test("every event of a run is read as it is", () => {
  const events = [
    { type: "run-start", runId: "chatcmpl-1", agentId: "main", sessionKey: "agent:main:openai:1", created: 1 },
    { type: "text-delta", text: "" },
    { type: "reasoning-delta", text: "hm" },
    { type: "tool-call-start", index: 0, id: "call_1", name: "f" },
    { type: "tool-call-delta", index: 0, arguments: "{" },
    { type: "tool-start", id: "t1", name: "search" },
    { type: "tool-end", id: "t1", ok: true },
    { type: "usage", usage },
    { type: "run-end", finishReason: "length", usage },
    { type: "run-error", error: { message: "no", type: "api_error", param: null, code: "internal_error" } },
  ];
  for (const event of events) expect(runEventSchema.parse(event)).toEqual(event);
  expect(runEventSchema.safeParse({ type: "constructor" }).success).toBe(false);
});

test("frames end with a blank line and the last one says so", () => {
  expect(SSE_CONTENT_TYPE).toBe("text/event-stream; charset=utf-8");
  expect(SSE_DONE_FRAME).toBe(`data: ${SSE_DONE}\n\n`);
  expect(SSE_KEEP_ALIVE_FRAME).toBe(": keep-alive\n\n");
});
