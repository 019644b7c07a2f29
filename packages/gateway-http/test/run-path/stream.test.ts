import { chatCompletionChunkSchema } from "@openclaw/protocol";
import { expect, test } from "vitest";
import type { AgentOutput } from "../../src/index.ts";
import { sayer, stepper } from "../support/agents.ts";
import { ask, askStream, hi, openRaw, readAnswer } from "../support/chat.ts";
import { startGateway } from "../support/start-gateway.ts";

const serve = (...outputs: AgentOutput[]) => startGateway({ agents: [sayer(...outputs)] });
const withUsage = hi({ stream_options: { include_usage: true } });
const usage: AgentOutput = {
  type: "usage",
  usage: {
    prompt_tokens: 3,
    completion_tokens: 2,
    total_tokens: 5,
    completion_tokens_details: { reasoning_tokens: 1 },
  },
};

test("a stream is a role chunk, the deltas one for one, a finish chunk and [DONE]", async () => {
  const { response, chunks } = await askStream(await serve("Hel", "lo ", "\n", " "));
  expect(chunks.map(({ choices }) => [choices[0]?.delta, choices[0]?.finish_reason])).toEqual([
    [{ role: "assistant", content: "" }, null],
    [{ content: "Hel" }, null],
    [{ content: "lo " }, null],
    [{ content: "\n" }, null],
    [{ content: " " }, null],
    [{}, "stop"],
  ]);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-openclaw-run-id": chunks[0]?.id,
    "x-request-id": expect.stringMatching(/^req_/),
    "x-openclaw-session-key": expect.stringMatching(/^agent:main:openai:[\w-]+$/),
  });
});

test("every chunk is one that OpenAI documents, with the same id, created and model", async () => {
  const body = hi({ model: "openclaw:main", stream_options: { include_usage: true } });
  const { chunks } = await askStream(await serve("a", usage), body);
  for (const chunk of chunks) expect(chatCompletionChunkSchema.safeParse(chunk).error).toBeUndefined();
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  expect(new Set(chunks.map(({ created }) => created)).size).toBe(1);
  expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set(["openclaw:main"]));
  expect(chunks[0]?.id).toMatch(/^chatcmpl-/);
  expect(Math.abs((chunks[0]?.created ?? 0) - Date.now() / 1000)).toBeLessThan(60);
});

test("usage comes in a chunk of its own when asked for, and is null on every other", async () => {
  const { chunks } = await askStream(await serve("a", usage, "b"), withUsage);
  expect(chunks.slice(0, -1).map((chunk) => chunk.usage)).toEqual([null, null, null, null]);
  expect(chunks.at(-1)).toMatchObject({
    choices: [],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  });
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
});

test("no chunk has a usage member when it was not asked for", async () => {
  const { chunks } = await askStream(await serve("a", usage));
  for (const chunk of chunks) expect(chunk).not.toHaveProperty("usage");
});

test("usage nobody reported is left out, not made up", async () => {
  const { chunks } = await askStream(await serve("a"), withUsage);
  expect(chunks.map((chunk) => chunk.usage)).toEqual([null, null, null]);
  expect((await ask(await serve("a"))).json).not.toHaveProperty("usage");
});

test("the usage of several model calls is summed, the last one's figures beside it", async () => {
  const second: AgentOutput = {
    type: "usage",
    usage: { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11, prompt_tokens_details: { cached_tokens: 4 } },
  };
  const sum = {
    prompt_tokens: 13,
    completion_tokens: 3,
    total_tokens: 16,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 1 },
    openclaw: { calls: 2, last: { prompt_tokens: 10, completion_tokens: 1 } },
  };
  const gateway = await serve(usage, "a", second);
  expect((await askStream(gateway, withUsage)).chunks.at(-1)?.usage).toEqual(sum);
  expect((await ask(gateway)).json.usage).toEqual(sum);
});

test("an agent that says nothing ends its stream all the same", async () => {
  const { text, finishReason } = await askStream(await serve());
  expect([text, finishReason]).toEqual(["", "stop"]);
});

test("any text arrives as it was said", async () => {
  const text = 'data: [DONE]\n\n"\\ \u0000\u2028 😀 \ud800 é</script>';
  const answer = await askStream(await serve(text));
  expect(answer.text).toBe(text);
});

for (const finishReason of ["stop", "length", "tool_calls", "content_filter"] as const) {
  test(`an answer can end with ${finishReason}, streamed and not`, async () => {
    const gateway = await serve("a", { type: "end", finishReason });
    expect((await askStream(gateway)).finishReason).toBe(finishReason);
    expect((await ask(gateway)).json.choices[0]?.finish_reason).toBe(finishReason);
  });
}

const toolCall: AgentOutput[] = [
  { type: "tool-call-start", index: 0, id: "call_1", name: "f" },
  { type: "tool-call-delta", index: 0, arguments: '{"ci' },
  { type: "tool-call-delta", index: 0, arguments: 'ty":1}' },
];

test("tool calls stream as the model writes them", async () => {
  const { chunks, finishReason } = await askStream(await serve("Let me see.", ...toolCall));
  expect(chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toEqual([
    { index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "" } },
    { index: 0, function: { arguments: '{"ci' } },
    { index: 0, function: { arguments: 'ty":1}' } },
  ]);
  expect(finishReason).toBe("tool_calls");
});

test("an answer that is not streamed holds the same", async () => {
  const { json, response } = await ask(await serve("Let me ", "see.", ...toolCall, usage));
  expect(json).toEqual({
    id: response.headers.get("x-openclaw-run-id"),
    object: "chat.completion",
    created: expect.any(Number),
    model: "openclaw",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: "Let me see.",
          refusal: null,
          tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: '{"city":1}' } }],
        },
        logprobs: null,
        finish_reason: "tool_calls",
      },
    ],
    usage: expect.objectContaining({ total_tokens: 5 }),
  });
  expect(response.headers.get("cache-control")).toBe("no-store");
});

test("without text before them, tool calls have content null", async () => {
  expect((await ask(await serve(...toolCall))).json.choices[0]?.message.content).toBeNull();
  expect((await ask(await serve())).json.choices[0]?.message.content).toBe("");
});

for (const name of ["reasoning_content", "reasoning"] as const) {
  test(`reasoning is shown as ${name} where the agent exposes it so`, async () => {
    const agent = { ...sayer({ type: "reasoning-delta", text: "hm" }, "a"), exposeReasoning: name };
    const gateway = await startGateway({ agents: [agent] });
    expect((await askStream(gateway)).chunks[1]?.choices[0]?.delta).toEqual({ [name]: "hm" });
    expect((await ask(gateway)).json.choices[0]?.message[name]).toBe("hm");
  });
}

test("reasoning is kept in otherwise", async () => {
  const gateway = await serve({ type: "reasoning-delta", text: "SECRET" }, "a");
  expect((await askStream(gateway)).raw).not.toContain("SECRET");
  expect(JSON.stringify((await ask(gateway)).json)).not.toContain("SECRET");
});

test("the agent's own tools show only to those who ask for its activity, on chunks with an empty delta", async () => {
  const start = { type: "tool-start", id: "t", name: "search", query: "SECRET" } as AgentOutput;
  const gateway = await serve(start, { type: "tool-end", id: "t", ok: true });
  expect((await askStream(gateway)).raw).not.toContain("search");
  const { chunks } = await askStream(gateway, hi(), { "x-openclaw-events": "1" });
  const activity = chunks.filter((chunk) => chunk.openclaw !== undefined);
  expect(activity.map((chunk) => chunk.openclaw)).toEqual([
    { type: "tool-start", id: "t", name: "search" },
    { type: "tool-end", id: "t", ok: true },
  ]);
  for (const chunk of activity) expect(chunk.choices).toEqual([{ index: 0, delta: {}, finish_reason: null }]);
});

test("while nothing is said comments keep the connection open", async () => {
  const { agent, say, end } = stepper();
  const gateway = await startGateway({ agents: [agent], config: { gateway: { http: { keepAliveMs: 20 } } } });
  const { response } = openRaw(gateway, hi({ stream: true }));
  say("a");
  let raw = "";
  for await (const piece of await response) {
    raw += piece;
    if (raw.split(": keep-alive\n\n").length > 3) end();
  }
  const { comments, text } = readAnswer(raw);
  expect(comments.length).toBeGreaterThanOrEqual(3);
  expect(text).toBe("a");
});

test("while it speaks no comment comes in between", async () => {
  const { comments } = await askStream(await serve("a", "b"));
  expect(comments).toEqual([]);
});

test("a token leaves while the agent still thinks about the next", async () => {
  const { agent, say, end } = stepper();
  const { response } = openRaw(await startGateway({ agents: [agent] }), hi({ stream: true }));
  say("first");
  let raw = "";
  for await (const piece of await response) {
    raw += piece;
    if (raw.includes("first")) end();
  }
  expect(readAnswer(raw).text).toBe("first");
});
