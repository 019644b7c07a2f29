import { expect, test, vi } from "vitest";
import { createAccumulator } from "../src/chat/accumulate.ts";
import { createTeller } from "../src/chat/stream-events.ts";
import type { ChatCompletionChunk, ChatStream, StreamEvents } from "../src/index.ts";
import { failureOf, hi, makeClient } from "./support/client.ts";
import { startKeyedServer } from "./support/keyed-server.ts";
import { gone, startServer } from "./support/raw-server.ts";
import { DONE, delta, finish, frame, HEAD, HELLO, SSE, START, say, USAGE, usage } from "./support/wire.ts";

const NAMES = ["content", "reasoning", "tool-call", "tool-activity", "usage", "resume", "end"] as const;

async function open(text: string): Promise<ChatStream> {
  const client = makeClient({ maxRetries: 0, fetch: async () => new Response(text, { headers: SSE }) });
  return client.chat.completions.create({ ...hi, stream: true });
}

/** All that it tells, in order. */
function listen(stream: ChatStream) {
  const told: [keyof StreamEvents, ...unknown[]][] = [];
  for (const name of NAMES) stream.on(name, (...args: unknown[]) => told.push([name, ...args]));
  return told;
}

async function read(text: string) {
  const stream = await open(text);
  const told = listen(stream);
  const completion = await stream.final();
  return { told, completion };
}

const activity = (openclaw: object) =>
  frame({ ...HEAD, choices: [{ index: 0, delta: {}, finish_reason: null }], openclaw });
const call = (index: number, id?: string, name?: string, text = "") =>
  delta({
    tool_calls: [{ index, ...(id && { id, type: "function" }), function: { ...(name && { name }), arguments: text } }],
  });

test("everything is told in its order, with what there is so far", async () => {
  const started = { type: "tool-start", id: "t1", name: "search" };
  const ended = { type: "tool-end", id: "t1", name: "search", ok: true };
  const { told, completion } = await read(
    [
      START,
      delta({ reasoning_content: "h" }),
      delta({ reasoning_content: "m" }),
      activity(started),
      activity(ended),
      say("Hel"),
      delta({ content: "lo", reasoning_content: "!" }),
      finish(),
      usage,
      DONE,
    ].join(""),
  );
  expect(told).toEqual([
    ["reasoning", "h", "h"],
    ["reasoning", "m", "hm"],
    ["tool-activity", started],
    ["tool-activity", ended],
    ["content", "Hel", "Hel"],
    ["reasoning", "!", "hm!"],
    ["content", "lo", "Hello"],
    ["usage", USAGE],
    ["end", completion],
  ]);
});

test.each([
  ["reasoning", delta({ reasoning: "a" }), delta({ reasoning: "b" })],
  ["reasoning_content", delta({ reasoning_content: "a" }), delta({ reasoning_content: "b" })],
  [
    "both, with the same",
    delta({ reasoning: "a", reasoning_content: "a" }),
    delta({ reasoning: "b", reasoning_content: "b" }),
  ],
  [
    "one, and null for the other",
    frame({ ...HEAD, choices: [{ index: 0, delta: { reasoning: null, reasoning_content: "a" } }] }),
    frame({ ...HEAD, choices: [{ index: 0, delta: { reasoning: "", reasoning_content: "b" } }] }),
  ],
])("what the agent thinks is told once, under the name %s", async (_, first, second) => {
  const { told } = await read(START + first + second + finish() + DONE);
  expect(told.slice(0, -1)).toEqual([
    ["reasoning", "a", "a"],
    ["reasoning", "b", "ab"],
  ]);
});

test.each(["tool_calls", "stop"] as const)(
  "calls are told once, whole, in order (finish_reason: %s)",
  async (reason) => {
    const pieces = [
      call(0, "call_1", "f", '{"a'),
      call(1, "call_2", "g"),
      call(0, undefined, undefined, '":1}'),
      call(1, undefined, undefined, "{}"),
    ];
    // There are servers that finish twice, the second time with the usage.
    const again = frame({ ...HEAD, choices: [{ index: 0, delta: {}, finish_reason: reason }], usage: USAGE });
    const { told, completion } = await read(START + pieces.join("") + finish(reason) + again + DONE);
    expect(told).toEqual([
      ["tool-call", { id: "call_1", type: "function", function: { name: "f", arguments: '{"a":1}' } }],
      ["tool-call", { id: "call_2", type: "function", function: { name: "g", arguments: "{}" } }],
      ["usage", USAGE],
      ["end", completion],
    ]);
  },
);

test.each(["length", "content_filter"] as const)("a call that was cut off is not told (%s)", async (reason) => {
  const { told } = await read(START + call(0, "call_1", "f", '{"a') + finish(reason) + DONE);
  expect(told.map(([name]) => name)).toEqual(["end"]);
});

test("where there are several choices, it is the first that is told", async () => {
  const of = (index: number, content: string, finish_reason: "stop" | null = null) =>
    frame({ ...HEAD, choices: [{ index, delta: { content }, finish_reason }] });
  const { told } = await read(of(1, "other") + of(0, "first") + of(1, "s", "stop") + of(0, "!", "stop") + DONE);
  expect(told.slice(0, -1)).toEqual([
    ["content", "first", "first"],
    ["content", "!", "first!"],
  ]);
});

test("a chunk's events come before the chunk, and the end before the reader knows of it", async () => {
  const stream = await open(HELLO);
  const order: string[] = [];
  stream.on("content", (_, text) => order.push(`told ${text}`)).on("end", () => order.push("told the end"));
  for await (const { choices } of stream) order.push(`read ${choices[0]?.delta.content ?? choices[0]?.finish_reason}`);
  order.push("left the loop");
  expect(order).toEqual([
    "read ",
    "told Hel",
    "read Hel",
    "told Hello",
    "read lo",
    "read stop",
    "told the end",
    "left the loop",
  ]);
});

test("final() knows of the end after its listener", async () => {
  const stream = await open(HELLO);
  const order: string[] = [];
  stream.on("end", () => order.push("told"));
  await stream.final().then(() => order.push("final"));
  expect(order).toEqual(["told", "final"]);
});

test("several listeners are called in their order, and one that comes late hears what comes then", async () => {
  const stream = await open(HELLO);
  const told: string[] = [];
  stream.on("content", (delta) => {
    told.push(`a ${delta}`);
    if (delta === "Hel") stream.on("content", (delta, text) => told.push(`late ${delta} of ${text}`));
  });
  stream.on("content", (delta) => told.push(`b ${delta}`));
  await stream.text();
  expect(told).toEqual(["a Hel", "b Hel", "a lo", "b lo", "late lo of Hello"]);
});

test("listening alone reads nothing", async () => {
  const pull = vi.fn((controller: ReadableStreamDefaultController) => {
    controller.enqueue(new TextEncoder().encode(HELLO));
    controller.close();
  });
  const client = makeClient({
    fetch: async () => new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), { headers: SSE }),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const told = listen(stream);
  await new Promise((resolve) => setImmediate(resolve));
  expect(pull).not.toHaveBeenCalled();
  expect(told).toEqual([]);
  expect(await stream.text()).toBe("Hello");
  expect(told.map(([name]) => name)).toEqual(["content", "content", "end"]);
});

test("tee() and toReadableStream() tell, too", async () => {
  const [half] = (await open(HELLO)).on("content", () => {}).tee();
  const copied = await open(HELLO);
  const told = listen(copied);
  for await (const _ of half as AsyncIterable<ChatCompletionChunk>);
  await new Response(copied.toReadableStream()).text();
  expect(told.map(([name]) => name)).toEqual(["content", "content", "end"]);
});

test("what a listener throws ends the stream and the request, and is what its reader gets", async () => {
  const left = Promise.withResolvers<void>();
  const { client } = await startServer((response) => {
    void gone(response).then(left.resolve);
    response.writeHead(200, SSE).write(START + say("a") + say("b"));
  });
  const mine = new Error("mine");
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  stream.on("content", () => {
    throw mine;
  });
  const chunks: ChatCompletionChunk[] = [];
  const reading = (async () => {
    for await (const chunk of stream) chunks.push(chunk);
  })();
  expect(await failureOf(reading)).toBe(mine);
  expect(await failureOf(stream.final())).toBe(mine);
  expect(await failureOf(stream.text())).toBe(mine);
  expect(chunks.map(({ choices }) => choices[0]?.delta.content)).toEqual([""]);
  expect(mine).not.toHaveProperty("partial");
  await left.promise;
});

test("with a key, the run of a listener that threw is ended", async () => {
  const { client, cancels, asked } = await startKeyedServer({
    answer: [START, say("a")],
    fate: () => ({ type: "silence", after: 2 }),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  stream.on("content", () => {
    throw new Error("mine");
  });
  expect(await failureOf(stream.final())).toMatchObject({ message: "mine" });
  await expect.poll(() => cancels.map(({ url }) => url)).toEqual(["/v1/chat/completions/run-1/cancel"]);
  expect(asked).toHaveLength(1);
});

test("what a listener of the coming back throws is the stream's end", async () => {
  const { client, asked } = await startKeyedServer({
    answer: [START, finish(), DONE],
    fate: () => ({ type: "cut", after: 10, how: "end" }),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  stream.on("resume", () => {
    throw new Error("mine");
  });
  expect(await failureOf(stream.final())).toMatchObject({ message: "mine" });
  expect(asked).toHaveLength(1);
});

test("what a listener of the end throws is what the reader gets, and nothing is left to cancel", async () => {
  const { client, cancels, asked } = await startKeyedServer({
    answer: [START, say("a"), finish(), DONE],
    fate: () => ({ type: "whole" }),
  });
  const mine = new Error("mine");
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  stream.on("end", () => {
    throw mine;
  });
  const chunks: unknown[] = [];
  const reading = (async () => {
    for await (const chunk of stream) chunks.push(chunk);
  })();
  expect(await failureOf(reading)).toBe(mine);
  expect(chunks).toHaveLength(3);
  expect(await failureOf(stream.final())).toBe(mine);
  stream.abort();
  expect(asked).toHaveLength(1);
  expect(cancels).toHaveLength(0);
});

test("a listener that aborts is the last to hear of anything", async () => {
  const stream = await open(START + say("a") + say("b") + finish() + DONE);
  const told = listen(stream);
  stream.on("content", () => stream.abort());
  const chunks: unknown[] = [];
  const reading = (async () => {
    for await (const chunk of stream) chunks.push(chunk);
  })();
  expect(await failureOf(reading)).toMatchObject({
    name: "AbortError",
    partial: { choices: [{ message: { content: "a" } }] },
  });
  expect(told).toEqual([["content", "a", "a"]]);
  expect(chunks).toHaveLength(1);
});

test("an abort at the end comes too late", async () => {
  const stream = await open(HELLO);
  stream.on("end", () => stream.abort());
  expect(await stream.text()).toBe("Hello");
});

test("the connection that is made anew is told before it is there, and nothing is told twice", async () => {
  const answer = [START, say("Hel"), call(0, "call_1", "f", "{}"), say("lo"), finish("tool_calls"), usage, DONE];
  const { client } = await startKeyedServer({
    answer,
    fate: (n) => (n === 0 ? { type: "drain", after: 3, retry: 1 } : { type: "whole" }),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const told = listen(stream);
  await stream.final();
  expect(told.map(([name, first]) => (name === "content" ? `${name} ${first}` : name))).toEqual([
    "content Hel",
    "resume",
    "content lo",
    "tool-call",
    "usage",
    "end",
  ]);
});

test("to listen to the text costs the same whatever else there is", async () => {
  let looked = 0;
  const accumulator = createAccumulator();
  const choices = Array.from({ length: 50 }, (_, index) => ({ index, delta: { content: "a" }, finish_reason: null }));
  accumulator.add({ ...HEAD, object: "chat.completion.chunk", choices });
  const tell = createTeller(
    { on: () => {}, has: () => true, emit: () => {} },
    {
      ...accumulator,
      read: () => {
        looked++;
        return accumulator.read();
      },
    },
  );
  tell({ ...HEAD, object: "chat.completion.chunk", choices });
  expect(looked).toBe(0);
});
