import { HttpResponse, http } from "msw/http";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ChatCompletionChunk } from "../src/index.ts";
import { CHAT_URL, failureOf, hi, makeClient } from "./support/client.ts";
import { bodyOf, DONE, delta, finish, frame, HEAD, HELLO, SSE, START, say, USAGE, usage } from "./support/wire.ts";

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledFrame: "error" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const client = makeClient({ maxRetries: 0 });

/** Without the network, where there are many. */
const openDirectly = (...pieces: Uint8Array[]) =>
  makeClient({ fetch: async () => new Response(bodyOf(pieces), { headers: SSE }) }).chat.completions.create({
    ...hi,
    stream: true,
  });

async function open(body: ReadableStream | string, headers: Record<string, string> = {}) {
  server.use(http.post(CHAT_URL, () => new HttpResponse(body, { headers: { ...SSE, ...headers } })));
  return client.chat.completions.create({ ...hi, stream: true });
}

async function collect(chunks: AsyncIterable<ChatCompletionChunk>) {
  const all: ChatCompletionChunk[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

const ODD = [
  "\ufeff: keep-alive\r\n\r\n",
  "id: chatcmpl-1:0\r\nretry: 10\r\n",
  START.replaceAll("\n", "\r\n"),
  ": a comment in between\n\n",
  `id: chatcmpl-1:1\n${say("Zür")}`,
  say("ich 🦞").replaceAll("\n", "\r"),
  `data: ${JSON.stringify({ ...HEAD, choices: [{ index: 0, delta: { content: "é\u2028\\n" }, finish_reason: null }] }).replace(',"choices"', '\ndata: ,"choices"')}\n\n`,
  "event: ping\ndata: {}\n\nunknown: field\n\n",
  finish(),
  ": keep-alive\n\n",
  DONE,
].join("");

test("an odd but whole stream is read the same wherever its bytes are split", async () => {
  const bytes = new TextEncoder().encode(ODD);
  const whole = await collect(await open(bodyOf([bytes])));
  expect(whole.map((chunk) => chunk.choices[0]?.delta.content)).toEqual(["", "Zür", "ich 🦞", "é\u2028\\n", undefined]);
  for (let at = 1; at < bytes.length; at++) {
    const chunks = await collect(await openDirectly(bytes.subarray(0, at), bytes.subarray(at)));
    expect(chunks, `split at ${at}`).toEqual(whole);
  }
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
  expect(await collect(await open(bodyOf(single)))).toEqual(whole);
});

test("text() gives the whole text, final() the completion", async () => {
  expect(await (await open(HELLO)).text()).toBe("Hello");
  const body = START + delta({ reasoning_content: "hm" }) + say("Hi") + finish("length") + usage + DONE;
  expect(await (await open(body)).final()).toEqual({
    id: HEAD.id,
    object: "chat.completion",
    created: HEAD.created,
    model: HEAD.model,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "Hi", refusal: null, reasoning_content: "hm" },
        logprobs: null,
        finish_reason: "length",
      },
    ],
    usage: USAGE,
  });
});

test("the text of an answer that has none is empty", async () => {
  const call = { index: 0, id: "call_1", type: "function" as const, function: { name: "f", arguments: "{}" } };
  const stream = await open(START + delta({ tool_calls: [call] }) + finish("tool_calls") + DONE);
  expect(await stream.text()).toBe("");
  expect((await stream.final()).choices[0]?.message).toMatchObject({ content: null, tool_calls: [{ id: "call_1" }] });
});

test("after the loop, and beside it, the whole answer is there", async () => {
  const stream = await open(HELLO);
  const chunks = stream[Symbol.asyncIterator]();
  await chunks.next();
  const beside = stream.text();
  while (!(await chunks.next()).done);
  expect(await beside).toBe("Hello");
  expect(await stream.text()).toBe("Hello");
  expect(await stream.final()).toBe(await stream.final());
});

test("the chunks can be read once", async () => {
  const stream = await open(HELLO);
  await stream.text();
  expect(await failureOf(collect(stream))).toMatchObject({
    name: "OpenClawError",
    message: "This stream has been read. Its whole answer is in `final()` and `text()`.",
  });
});

test("the stream knows its request, run and session", async () => {
  const stream = await open(HELLO, {
    "x-request-id": "req-1",
    "x-openclaw-run-id": "chatcmpl-1",
    "x-openclaw-session-key": "agent%3Amain%3AZ%C3%BCrich",
  });
  expect(stream).toMatchObject({ requestId: "req-1", runId: "chatcmpl-1", sessionKey: "agent:main:Zürich" });
  expect(await open(HELLO, { "x-openclaw-session-key": "100%" })).toMatchObject({
    requestId: null,
    sessionKey: "100%",
  });
});

test("activity of the agent is passed on as a chunk, other frames without choices are not", async () => {
  const openclaw = { type: "tool-start", id: "t1", name: "search" };
  const activity = frame({ ...HEAD, choices: [{ index: 0, delta: {}, finish_reason: null }], openclaw });
  const stream = await open(START + activity + frame({ object: "ping" }) + frame(null) + finish() + DONE);
  const chunks = await collect(stream);
  expect(chunks.map((chunk) => chunk.openclaw)).toEqual([undefined, openclaw, undefined]);
});

test("an endless event does not fill the memory", async () => {
  let given = 0;
  const endless = (function* () {
    yield `${START}data: `;
    while (true) {
      given += 1;
      yield "x".repeat(1024 * 1024);
    }
  })();
  const stream = await open(bodyOf(endless));
  expect(await failureOf(stream.text())).toMatchObject({
    name: "StreamTruncatedError",
    message: "An event of the stream is too long.",
  });
  expect(given).toBeLessThan(64);
});
