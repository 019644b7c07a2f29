import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import OpenAI from "openai";
import { expect, onTestFinished, test, vi } from "vitest";
import { type ChatStream, createClient } from "../src/index.ts";
import { failureOf, hi, makeClient, TOKEN } from "./support/client.ts";
import { openCounted } from "./support/counted.ts";
import { startKeyedServer } from "./support/keyed-server.ts";
import { gone, startServer } from "./support/raw-server.ts";
import { runNode } from "./support/run-node.ts";
import { DONE, delta, error, finish, frame, HELLO, SSE, START, say, USAGE, usage } from "./support/wire.ts";

async function open(text: string, headers = {}): Promise<ChatStream> {
  const fetch = async () => new Response(text, { headers: { ...SSE, ...headers } });
  return makeClient({ maxRetries: 0, fetch }).chat.completions.create({ ...hi, stream: true });
}

const toText = (stream: ChatStream) => new Response(stream.toReadableStream()).text();

/** A server of an app, which passes a stream on to its pages. */
async function startApp(ask: () => Promise<ChatStream>) {
  const copies: Promise<unknown>[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    const copy = async () => {
      const stream = await ask();
      response.writeHead(200, { "content-type": "text/event-stream" });
      await pipeline(Readable.fromWeb(stream.toReadableStream() as never), response);
    };
    copies.push(copy().catch((error) => error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, copies };
}

test("it is what a gateway writes", async () => {
  expect(await toText(await open(`: a comment\n\nid: 1\n${HELLO}`))).toBe(HELLO);
});

test("the openai package reads it", async () => {
  const calls = delta({
    tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }],
  });
  const text = START + say("Zürich 🦞") + calls + finish("tool_calls") + usage + DONE;
  const { baseUrl, copies } = await startApp(() => open(text));
  const openai = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: "of the page", maxRetries: 0 });
  const runner = openai.chat.completions.stream({ ...hi, stream_options: { include_usage: true } });
  const completion = await runner.finalChatCompletion();
  expect(completion.choices[0]).toMatchObject({
    message: {
      content: "Zürich 🦞",
      tool_calls: [{ id: "call_1", function: { name: "f", arguments: "{}" } }],
    },
    finish_reason: "tool_calls",
  });
  expect(completion.usage).toEqual(USAGE);
  expect(await Promise.all(copies)).toEqual([undefined]);
});

test("our own client reads it, and it can be passed on again", async () => {
  const { baseUrl } = await startApp(() => open(HELLO));
  const page = createClient({ baseUrl });
  const ask = () => page.chat.completions.create({ ...hi, stream: true });
  const next = await startApp(ask);
  const stream = await createClient({ baseUrl: next.baseUrl }).chat.completions.create({ ...hi, stream: true });
  expect(await stream.final()).toEqual(await (await open(HELLO)).final());
});

test("a handler that answers with a Response passes it on", async () => {
  const handler = async () => {
    const stream = await open(HELLO);
    return new Response(stream.toReadableStream(), { headers: { "content-type": "text/event-stream" } });
  };
  const stream = await makeClient({ fetch: handler }).chat.completions.create({ ...hi, stream: true });
  expect(await stream.text()).toBe("Hello");
});

test("a stream that was cut and came back is one", async () => {
  const answer = [START, say("Hel"), say("lo"), finish(), DONE];
  const { client } = await startKeyedServer({
    answer,
    fate: (n) => (n === 0 ? { type: "drain", after: 2, retry: 1 } : { type: "whole" }),
  });
  expect(await toText(await client.chat.completions.create({ ...hi, stream: true }))).toBe(answer.join(""));
});

test("nothing is read before its reader asks, and no more than that", async () => {
  const { stream, given } = await openCounted();
  const reader = stream.toReadableStream().getReader();
  await new Promise((resolve) => setImmediate(resolve));
  expect(given()).toBe(0);
  for (let n = 1; n <= 3; n++) {
    await reader.read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(given()).toBe(n);
  }
});

test("cancelling aborts the request, also while something is waited for", async () => {
  for (const isWaiting of [false, true]) {
    const left = Promise.withResolvers<void>();
    const { client } = await startServer((response) => {
      void gone(response).then(left.resolve);
      response.writeHead(200, SSE).write(START);
    });
    const stream = await client.chat.completions.create({ ...hi, stream: true });
    const reader = stream.toReadableStream().getReader();
    await reader.read();
    const pending = isWaiting ? reader.read() : undefined;
    await reader.cancel();
    await left.promise;
    expect((await pending)?.done).toBe(isWaiting || undefined);
    expect(await failureOf(stream.final())).toMatchObject({ name: "AbortError" });
  }
});

test("a page that leaves ends the run", async () => {
  const { client, cancels } = await startKeyedServer({
    answer: [START, say("a")],
    fate: () => ({ type: "silence", after: 2 }),
  });
  const { baseUrl, copies } = await startApp(() => client.chat.completions.create({ ...hi, stream: true }));
  const stream = await createClient({ baseUrl }).chat.completions.create({ ...hi, stream: true });
  for await (const { choices } of stream) if (choices[0]?.delta.content) break;
  await expect.poll(() => cancels.map(({ url }) => url)).toEqual(["/v1/chat/completions/run-1/cancel"]);
  expect(await copies[0]).toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
});

test("what the gateway said went wrong is passed on as it is", async () => {
  const failed = {
    message: "Too long.",
    type: "invalid_request_error",
    param: "messages[0]",
    code: "context_length_exceeded",
  };
  const ask = () => open(START + say("Hel") + frame({ error: failed }) + DONE);
  expect(await toText(await ask())).toBe(START + say("Hel") + frame({ error: failed }) + DONE);

  const { baseUrl } = await startApp(ask);
  const openai = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: "of the page", maxRetries: 0 });
  const reading = async () => {
    for await (const _ of await openai.chat.completions.create({ ...hi, stream: true }));
  };
  expect(await failureOf(reading())).toMatchObject({ code: failed.code, param: failed.param, type: failed.type });
  const page = await createClient({ baseUrl }).chat.completions.create({ ...hi, stream: true });
  expect(await failureOf(page.final())).toMatchObject({ name: "APIError", ...failed, partial: { id: "chatcmpl-1" } });
});

test.each<[string, () => Promise<ChatStream>]>([
  ["was cut", () => open(START)],
  ["could not be read", () => open(`${START}data: {${TOKEN}\n\n`)],
  [
    "had a listener that threw",
    async () =>
      (await open(HELLO)).on("content", () => {
        throw new Error(`of ${TOKEN}`);
      }),
  ],
  [
    "was aborted",
    async () => {
      const stream = await open(HELLO);
      stream.abort();
      return stream;
    },
  ],
  ["met a proxy's page on its way back", () => openWithPage()],
])("of a stream that %s it is said that it failed, and nothing of the inside", async (_, open) => {
  const text = await toText(await open());
  const frames = text.split("\n\n").filter((line) => line !== "");
  expect(frames.at(-1)).toBe("data: [DONE]");
  expect(JSON.parse(frames.at(-2)?.slice("data: ".length) ?? "")).toEqual({
    error: {
      message: "The connection to the gateway failed.",
      type: "api_error",
      param: null,
      code: "provider_unreachable",
    },
  });
  expect(text).not.toMatch(/gateway\.test|inside|http/);
  expect(text).not.toContain(TOKEN);
});

/** Cut at once, and a proxy answers when the stream wants to go on. */
async function openWithPage(): Promise<ChatStream> {
  let asked = 0;
  const headers = { ...SSE, "x-openclaw-run-id": "run-1", "retry-after-ms": "0" };
  const client = makeClient({
    maxRetries: 1,
    fetch: async () =>
      asked++ === 0
        ? new Response(`retry: 0\n\nid: run-1:0\n${START}`, { headers })
        : new Response("<h1>http://inside.example is not there</h1>", { status: 404 }),
  });
  return client.chat.completions.create({ ...hi, stream: true });
}

test("a refusal by the gateway to go on is passed on, too", async () => {
  const { client } = await startKeyedServer({
    answer: [START, finish(), DONE],
    fate: (n) =>
      n === 0 ? { type: "drain", after: 1, retry: 0 } : { type: "refuse", status: 401, code: "invalid_api_key" },
  });
  const text = await toText(await client.chat.completions.create({ ...hi, stream: true }));
  expect(text).toBe(START + frame(error("invalid_api_key")) + DONE);
});

test("while the agent is busy, the page is told every 15 s that there is life, once until it reads", async () => {
  vi.useFakeTimers();
  try {
    let server!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        server = controller;
      },
    });
    const client = makeClient({ idleTimeout: Infinity, fetch: async () => new Response(body, { headers: SSE }) });
    const stream = await client.chat.completions.create({ ...hi, stream: true });
    const reader = stream.toReadableStream().getReader();
    const read = async () => new TextDecoder().decode((await reader.read()).value);

    const first = read();
    await vi.advanceTimersByTimeAsync(14_999);
    expect(await Promise.race([first, "nothing"])).toBe("nothing");
    await vi.advanceTimersByTimeAsync(1);
    expect(await first).toBe(": keep-alive\n\n");
    await vi.advanceTimersByTimeAsync(100_000);
    expect(await read()).toBe(": keep-alive\n\n");
    const next = read();
    server.enqueue(new TextEncoder().encode(START));
    expect(await next).toBe(START);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(vi.getTimerCount()).toBe(0);
    server.enqueue(new TextEncoder().encode(finish() + DONE));
    server.close();
    expect([await read(), await read()]).toEqual([finish(), DONE]);
    expect((await reader.read()).done).toBe(true);
    await stream.final();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test("leaving it in any way leaves no failure unhandled", async () => {
  const script = `
    import { createClient } from CLIENT;
    import { START, say } from WIRE;
    const headers = { "content-type": "text/event-stream" };
    const body = (close) =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(START + say("a")));
          if (close) controller.close();
        },
      });
    const open = (close) =>
      createClient({ baseUrl: "http://gateway.test", fetch: async () => new Response(body(close), { headers }) })
        .chat.completions.create({ messages: [{ role: "user", content: "hi" }], stream: true });
    await (await open()).toReadableStream().cancel();
    const waiting = (await open()).toReadableStream().getReader();
    await waiting.read();
    void waiting.read();
    await waiting.cancel();
    await new Response((await open(true)).toReadableStream()).text();
    const [first, second] = (await open(true)).tee();
    for await (const chunk of first) break;
    for await (const chunk of second) break;
    const [one, other] = (await open(true)).tee();
    for await (const chunk of one) break;
    await (async () => { for await (const chunk of other); })().catch((error) => console.log(error.name));
    (await open()).abort();
    const listening = (await open()).on("content", () => { throw new Error("mine"); });
    await listening.text().catch((error) => console.log(error.message));
    setTimeout(() => console.log("well"));
  `;
  expect(await runNode(script)).toBe("StreamTruncatedError\nmine\nwell\n");
}, 60_000);
