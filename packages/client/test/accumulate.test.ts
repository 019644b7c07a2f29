import type { ChatCompletionChunk } from "@openclaw/protocol";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { createAccumulator } from "../src/chat/accumulate.ts";
import { BASE_URL, hi, makeClient } from "./support/client.ts";
import { DONE, delta, finish, frame, HEAD, HELLO, SSE, START, say, usage } from "./support/wire.ts";

const call = (index: number, id: string, name: string) =>
  delta({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] });
const args = (index: number, text: string) => delta({ tool_calls: [{ index, function: { arguments: text } }] });

const STREAMS: [string, string][] = [
  ["text", HELLO],
  ["nothing", START + finish() + DONE],
  ["text and usage", START + say("Hi") + finish("length") + usage + DONE],
  [
    "tool calls, interleaved, after text",
    START +
      say("Let me see.") +
      call(0, "call_a", "weather") +
      call(1, "call_b", "time") +
      args(1, '{"zone"') +
      args(0, '{"ci') +
      args(1, ':"CET"}') +
      args(0, 'ty":"Zürich 🦞"}') +
      finish("tool_calls") +
      DONE,
  ],
  ["tool calls only", START + call(0, "call_a", "f") + args(0, "{}") + finish("tool_calls") + usage + DONE],
  [
    "a refusal",
    START +
      frame({ ...HEAD, choices: [{ index: 0, delta: { refusal: "No." }, finish_reason: null }] }) +
      finish() +
      DONE,
  ],
];

test.each(STREAMS)("the whole answer is what OpenAI's SDK makes of the same bytes: %s", async (name, body) => {
  const fetch = async () => new Response(body, { headers: SSE });
  const ours = await (await makeClient({ fetch }).chat.completions.create({ ...hi, stream: true })).final();
  const openai = new OpenAI({ baseURL: `${BASE_URL}/v1`, apiKey: "key", fetch });
  const theirs = await openai.chat.completions.stream({ ...hi, stream: true }).finalChatCompletion();

  const { message, ...choice } = ours.choices[0] as (typeof ours.choices)[number];
  const { message: reference, ...theirChoice } = theirs.choices[0] as (typeof theirs.choices)[number];
  expect({ ...ours, choices: [choice] }).toEqual({ ...theirs, choices: [theirChoice] });
  expect(message.role).toBe(reference.role);
  // Theirs never tells "" from null.
  expect(message.content || null, name).toBe(reference.content || null);
  expect(message.refusal).toBe(reference.refusal ?? null);
  const plain = reference.tool_calls?.map((item) =>
    item.type === "function"
      ? { id: item.id, type: item.type, function: { name: item.function.name, arguments: item.function.arguments } }
      : item,
  );
  expect(message.tool_calls ?? []).toEqual(plain ?? []);
});

const chunk = (choices: unknown[]) => ({ ...HEAD, choices }) as unknown as ChatCompletionChunk;

test("nothing came, nothing is read", () => {
  expect(createAccumulator().read()).toBeUndefined();
});

test("what was read does not change when more comes", () => {
  const accumulator = createAccumulator();
  const piece = (text: string) => ({ index: 0, id: "call_1", function: { name: "f", arguments: text } });
  accumulator.add(chunk([{ index: 0, delta: { content: "a", tool_calls: [piece("{")] }, finish_reason: null }]));
  const before = accumulator.read();
  const copy = structuredClone(before);
  accumulator.add(chunk([{ index: 0, delta: { content: "b", tool_calls: [piece("}")] }, finish_reason: "stop" }]));
  expect(before).toEqual(copy);
  expect(accumulator.read()?.choices[0]?.message).toMatchObject({ content: "ab" });
});

test("choices and calls are in the order of their index, whatever it is", () => {
  const accumulator = createAccumulator();
  for (const index of [2 ** 32, 1, 0, "__proto__"]) {
    accumulator.add(
      chunk([
        { index, delta: { content: String(index), tool_calls: [{ index, id: `c${index}` }] }, finish_reason: "stop" },
      ]),
    );
  }
  const { choices = [] } = accumulator.read() ?? {};
  expect(choices).toHaveLength(4);
  expect(choices.filter(({ index }) => typeof index === "number").map(({ index }) => index)).toEqual([0, 1, 2 ** 32]);
  expect(({} as Record<string, unknown>).message).toBeUndefined();
});

test("pieces that lack what they should have do no harm", () => {
  const accumulator = createAccumulator();
  accumulator.add(chunk([{ index: 0 }, { index: 0, delta: null }, { index: 0, delta: { content: null } }]));
  accumulator.add(chunk([{ index: 0, delta: { tool_calls: [{ index: 0 }, { index: 0, function: {} }] } }]));
  expect(accumulator.read()?.choices).toEqual([
    {
      index: 0,
      message: {
        role: "assistant",
        content: null,
        refusal: null,
        tool_calls: [{ id: "", type: "function", function: { name: "", arguments: "" } }],
      },
      logprobs: null,
      finish_reason: null,
    },
  ]);
});

test("a text is the same however many pieces it comes in, and whenever it is read", () => {
  const { add, read } = createAccumulator();
  let text = "";
  let thought = "";
  for (let position = 0; position < 1_000; position++) {
    const [piece, idea] = [`${position} `, `${-position} `];
    const choice = { index: 0, delta: { content: piece, reasoning: idea }, finish_reason: null };
    add({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "openclaw", choices: [choice] });
    text += piece;
    thought += idea;
    if (position % 97 === 0) expect(read()?.choices[0]?.message).toMatchObject({ content: text, reasoning: thought });
  }
  const before = read();
  expect(before?.choices[0]?.message).toEqual({ role: "assistant", content: text, refusal: null, reasoning: thought });
  add({ ...(before as object), choices: [{ index: 0, delta: { content: "end" } }] } as never);
  expect(before?.choices[0]?.message.content).toBe(text);
  expect(read()?.choices[0]?.message.content).toBe(`${text}end`);
});
