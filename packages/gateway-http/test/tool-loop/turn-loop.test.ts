import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, askStream, hi, openRaw } from "../support/chat.ts";
import { clientTool, startWithTools, toolsUsed } from "./with-tools.ts";

const none = z.object({});
const EVENTS = { "x-openclaw-events": "1" };
const user = { role: "user", content: "hi" };
const call = (id: string, name: string, args: string) => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

test("the model calls a tool, hears its result, and answers", async () => {
  const door = await startWithTools({
    says: [{ calls: [["echo", '{"text":"a"}']] }, { text: "done" }],
  });
  const { json, text } = await ask(door);
  expect([text, json.choices[0]?.finish_reason]).toEqual(["done", "stop"]);
  expect(json.choices[0]?.message.tool_calls).toBeUndefined();
  expect(door.provider.exchanges).toHaveLength(2);
  expect(door.provider.exchanges[0]?.json.tools).toEqual([
    {
      type: "function",
      function: expect.objectContaining({ name: "echo", description: "Says it again" }),
    },
  ]);
  expect(door.provider.exchanges[1]?.json.messages).toEqual([
    user,
    { role: "assistant", content: null, tool_calls: [call("c1", "echo", '{"text":"a"}')] },
    { role: "tool", tool_call_id: "c1", content: "echo a" },
  ]);
});

test("a stream shows the words of all steps as they come, each step in a paragraph, and its tools on request", async () => {
  const says = [
    { text: "Let me see.", calls: [["echo", '{"text":"a"}']] as const },
    { text: "It is", calls: [["echo", '{"text":"b"}']] as const },
    { text: "a and b." },
  ];
  const door = await startWithTools({ says });
  const { chunks, text, finishReason } = await askStream(door, hi(), EVENTS);
  expect([text, finishReason]).toEqual(["Let me see.\n\nIt is\n\na and b.", "stop"]);
  const activity = toolsUsed(chunks);
  // A model may give every call the same id; whoever watches must be able to tell them apart.
  const second = activity[2]?.id as string;
  expect(activity).toEqual([
    { type: "tool-start", id: "c1", name: "echo" },
    { type: "tool-end", id: "c1", ok: true },
    { type: "tool-start", id: expect.stringMatching(/^call_/), name: "echo" },
    { type: "tool-end", id: second, ok: true },
  ]);
  expect(door.provider.exchanges[2]?.json.messages.slice(1)).toEqual([
    { role: "assistant", content: "Let me see.", tool_calls: [call("c1", "echo", '{"text":"a"}')] },
    { role: "tool", tool_call_id: "c1", content: "echo a" },
    { role: "assistant", content: "It is", tool_calls: [call(second, "echo", '{"text":"b"}')] },
    { role: "tool", tool_call_id: second, content: "echo b" },
  ]);
  const quiet = await askStream(door);
  expect(quiet.chunks.some((item) => "openclaw" in item)).toBe(false);
});

test("calls of one step run side by side, and the model hears their results in the order of the calls", async () => {
  const both = Promise.withResolvers<void>();
  const slowDone = Promise.withResolvers<void>();
  let started = 0;
  const tool = (name: string, before: () => Promise<void>) => ({
    schema: none,
    async run() {
      if (++started === 2) both.resolve();
      await both.promise;
      await before();
      return name;
    },
  });
  const door = await startWithTools({
    says: [
      {
        calls: [
          ["slow", "{}"],
          ["quick", "{}"],
        ],
      },
      { text: "done" },
    ],
    tools: {
      slow: tool("slow", () => slowDone.promise.then(() => sleep(5))),
      quick: tool("quick", async () => slowDone.resolve()),
    },
  });
  const { chunks } = await askStream(door, hi(), EVENTS);
  expect(toolsUsed(chunks).map(({ type, id }) => [type, id])).toEqual([
    ["tool-start", "c1"],
    ["tool-start", "c2"],
    ["tool-end", "c2"],
    ["tool-end", "c1"],
  ]);
  const results = door.provider.exchanges[1]?.json.messages.slice(2);
  expect(results?.map(({ content }) => content)).toEqual(["slow", "quick"]);
});

test("with parallel_tool_calls false they run one after the other", async () => {
  let running = 0;
  let most = 0;
  const tool = {
    schema: none,
    async run() {
      most = Math.max(most, ++running);
      await sleep(5);
      running--;
    },
  };
  const door = await startWithTools({
    says: [
      {
        calls: [
          ["one", "{}"],
          ["two", "{}"],
        ],
      },
      { text: "done" },
    ],
    tools: { one: tool, two: tool },
  });
  await ask(door, hi({ tools: [clientTool("theirs")], parallel_tool_calls: false }));
  expect(most).toBe(1);
  expect(door.provider.exchanges[1]?.json.parallel_tool_calls).toBe(false);
});

test("usage is the sum of all steps, and says how many there were", async () => {
  const usage = (prompt_tokens: number, completion_tokens: number) => ({
    prompt_tokens,
    completion_tokens,
    prompt_tokens_details: { cached_tokens: 5 },
  });
  const door = await startWithTools({
    says: [
      { calls: [["echo", "{}"]], usage: usage(10, 1) },
      { text: "done", usage: usage(20, 2) },
    ],
  });
  const { json } = await ask(door);
  expect(json.usage).toEqual({
    prompt_tokens: 30,
    completion_tokens: 3,
    total_tokens: 33,
    prompt_tokens_details: { cached_tokens: 10 },
    openclaw: { calls: 2, last: { prompt_tokens: 20, completion_tokens: 2 } },
  });
});

test("maxSteps ends a run that would go on, and what nobody would read is not run", async () => {
  let runs = 0;
  const door = await startWithTools({
    says: [{ text: "again", calls: [["more", "{}"]] }],
    agent: { maxSteps: 3 },
    tools: { more: { schema: none, run: () => ++runs } },
  });
  const { json, status } = await ask(door);
  expect([status, json.choices[0]?.finish_reason]).toEqual([200, "length"]);
  expect([door.provider.exchanges.length, runs]).toEqual([3, 2]);
});

test("max_completion_tokens is the whole run's", async () => {
  const usage = (completion_tokens: number) => ({ prompt_tokens: 1, completion_tokens });
  const says = [
    { calls: [["echo", "{}"]] as const, usage: usage(30) },
    { calls: [["echo", "{}"]] as const, usage: usage(80) },
    { text: "never" },
  ];
  const door = await startWithTools({ says });
  const { json } = await ask(door, hi({ max_completion_tokens: 100 }));
  expect(json.choices[0]?.finish_reason).toBe("length");
  expect(door.provider.exchanges.map((exchange) => exchange.json.max_tokens)).toEqual([100, 70]);
});

test("what the model thought goes back to it with the step, under its own name for it", async () => {
  const door = await startWithTools({
    says: [{ reasoning: "hm", calls: [["echo", "{}"]] }, { text: "done" }],
    agent: { exposeReasoning: "reasoning" },
  });
  const { json } = await ask(door);
  expect(json.choices[0]?.message).toMatchObject({ content: "done", reasoning: "hm" });
  expect(door.provider.exchanges[1]?.json.messages[1]).toMatchObject({ reasoning_content: "hm" });
});

test("a failing tool, a wrong name and unreadable arguments are told to the model, and nobody else", async () => {
  const door = await startWithTools({
    says: [
      {
        calls: [
          ["fails", "{}"],
          ["echo", '{"te'],
          ["nobody", "{}"],
          ["echo", "[]"],
        ],
      },
      { text: "sorry" },
    ],
    tools: {
      fails: {
        schema: none,
        run() {
          throw new Error("disk full, key sk-stand-in-0123456789");
        },
      },
      echo: { schema: none, run: () => "echo" },
    },
  });
  const { chunks, text } = await askStream(door, hi(), EVENTS);
  expect(text).toBe("sorry");
  expect(toolsUsed(chunks).flatMap((used) => (used.type === "tool-end" ? used.ok : []))).toEqual(Array(4).fill(false));
  const [, step, ...results] = door.provider.exchanges[1]?.json.messages ?? [];
  expect(results.map(({ content }) => content)).toEqual([
    "Error: disk full, key ***",
    'The arguments of echo are not a JSON object: {"te',
    'There is no tool "nobody".',
    "The arguments of echo are not a JSON object: []",
  ]);
  // Providers refuse a talk with arguments that are no JSON.
  const { tool_calls } = step as unknown as { tool_calls: { function: { arguments: string } }[] };
  for (const { function: made } of tool_calls) expect(JSON.parse(made.arguments)).toEqual({});
});

test("a result of 50 MB is cut, and says so", async () => {
  const door = await startWithTools({
    says: [{ calls: [["big", "{}"]] }, { text: "much" }],
    tools: { big: { schema: none, run: () => "😀".repeat(25 * 1024 * 1024) } },
  });
  expect((await ask(door)).text).toBe("much");
  const content = String(door.provider.exchanges[1]?.json.messages[2]?.content);
  expect(content.length).toBeLessThan(66_000);
  expect(content).toMatch(/😀\n\[cut here: the first 65536 of 52428800 characters\]$/);
});

test("an answer that is cut at its length ends there, its broken calls are not run", async () => {
  let ran = false;
  const door = await startWithTools({
    says: [{ text: "I", calls: [["touch", '{"a']], finish: "length" }],
    tools: { touch: { schema: none, run: () => (ran = true) } },
  });
  const { json, text } = await ask(door);
  expect([text, json.choices[0]?.finish_reason, ran]).toEqual(["I", "length", false]);
});

test("leaving ends a tool that is running, and the run", async () => {
  const started = Promise.withResolvers<AbortSignal>();
  const door = await startWithTools({
    says: [{ calls: [["hang", "{}"]] }],
    tools: {
      hang: {
        schema: none,
        run: (_, { signal }) => {
          started.resolve(signal);
          return new Promise(() => {});
        },
      },
    },
  });
  const client = openRaw(door, hi({ stream: true }));
  const signal = await started.promise;
  client.kill();
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  await expect.poll(() => door.gateway.runs.active).toBe(0);
  expect(door.provider.exchanges).toHaveLength(1);
});

test("the deadline ends a tool that does not listen, and is not to be tried again", async () => {
  const door = await startWithTools({
    says: [{ calls: [["hang", "{}"]] }],
    agent: { timeoutSeconds: 0.2 },
    tools: { hang: { schema: none, run: () => new Promise(() => {}) } },
  });
  const { status, json, response } = await ask(door);
  expect([status, json.error.code, response.headers.get("x-should-retry")]).toEqual([504, "run_timeout", "false"]);
});

test("a provider that fails after a tool ran is not to be asked again by itself", async () => {
  const door = await startWithTools({
    async says(exchange, index) {
      if (index > 0) return exchange.answer(503, { error: { message: "busy" } });
      exchange.open();
      await exchange.event({
        choices: [{ delta: { tool_calls: [{ index: 0, id: "c1", function: { name: "echo", arguments: "{}" } }] } }],
      });
      exchange.finish("tool_calls");
    },
  });
  const { status, response } = await ask(door);
  expect([status, response.headers.get("x-should-retry")]).toEqual([503, "false"]);
});

test("an answer that a filter ends is over, whatever it called", async () => {
  let ran = false;
  const door = await startWithTools({
    says: [{ text: "I", calls: [["touch", "{}"]], finish: "content_filter" }],
    tools: { touch: { schema: none, run: () => (ran = true) } },
  });
  const { json } = await ask(door);
  expect([json.choices[0]?.finish_reason, ran]).toEqual(["content_filter", false]);
});

test.each([
  ["nothing", undefined],
  ["an object without a prototype", Object.create(null)],
  ["an error whose message is a number", Object.assign(new Error(), { message: 5 })],
  [
    "an error that throws when it is read",
    Object.defineProperty(new Error(), "message", {
      get: () => {
        throw new Error("no");
      },
    }),
  ],
])("a tool that throws %s ends no run", async (_, thrown) => {
  const door = await startWithTools({
    says: [{ calls: [["fails", "{}"]] }, { text: "sorry" }],
    tools: {
      fails: {
        schema: none,
        run() {
          throw thrown;
        },
      },
    },
  });
  expect((await ask(door)).text).toBe("sorry");
});
