import { getEventListeners } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { AbortError } from "../src/index.ts";
import { failureOf, hi, makeClient } from "./support/client.ts";
import { gone, startServer } from "./support/raw-server.ts";
import { expectNoUnhandled } from "./support/unhandled.ts";
import { SSE, START, say } from "./support/wire.ts";

expectNoUnhandled();

/** A server that begins a stream and says no more, and what becomes of its answer. */
async function startSilent(text = START + say("Hel")) {
  const left = Promise.withResolvers<void>();
  const { client } = await startServer((response: ServerResponse) => {
    void gone(response).then(left.resolve);
    response.writeHead(200, SSE).write(text);
  });
  const controller = new AbortController();
  const { signal } = controller;
  const stream = await client.chat.completions.create({ ...hi, stream: true }, { signal });
  return { stream, controller, signal, left: left.promise };
}

test("a signal that was aborted before sends nothing", async () => {
  let sent = 0;
  const client = makeClient({
    fetch: async () => {
      sent += 1;
      return new Response();
    },
  });
  const failure = await failureOf(client.models.list({ signal: AbortSignal.abort("no need") }));
  expect(failure).toBeInstanceOf(AbortError);
  expect(failure).toMatchObject({ name: "AbortError", cause: "no need" });
  expect(sent).toBe(0);
});

test("an abort while the token is fetched sends nothing", async () => {
  const controller = new AbortController();
  const asked = Promise.withResolvers<void>();
  const client = makeClient({
    token: () => {
      asked.resolve();
      return new Promise(() => {});
    },
  });
  const failure = failureOf(client.models.list({ signal: controller.signal }));
  await asked.promise;
  controller.abort();
  expect(await failure).toBeInstanceOf(AbortError);
});

test.each([true, false])("an abort before the headers ends the request (stream: %j)", async (stream) => {
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const { client } = await startServer(
    (response) => {
      void gone(response).then(left.resolve);
      asked.resolve();
    },
    { maxRetries: 5 },
  );
  const controller = new AbortController();
  const failure = failureOf(client.chat.completions.create({ ...hi, stream }, { signal: controller.signal }));
  await asked.promise;
  controller.abort();
  expect(await failure).toBeInstanceOf(AbortError);
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  await left.promise;
});

test("an abort in the midst of an answer that is not streamed ends it", async () => {
  const begun = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const { client } = await startServer((response) => {
    void gone(response).then(left.resolve);
    response.writeHead(200, { "content-type": "application/json" }).write('{"id":', () => begun.resolve());
  });
  const controller = new AbortController();
  const failure = failureOf(client.chat.completions.create(hi, { signal: controller.signal }));
  await begun.promise;
  controller.abort();
  expect(await failure).toBeInstanceOf(AbortError);
  await left.promise;
});

test("an abort by the signal in the midst of a stream rejects, with what had come", async () => {
  const { stream, controller, signal, left } = await startSilent();
  const chunks = stream[Symbol.asyncIterator]();
  await chunks.next();
  const failure = failureOf(stream.text());
  controller.abort(new Error("stop"));
  expect(await failure).toMatchObject({
    name: "AbortError",
    cause: new Error("stop"),
    partial: { choices: [{ message: { content: "" }, finish_reason: null }] },
  });
  expect(await failureOf(chunks.next())).toBeInstanceOf(AbortError);
  await left;
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("abort() does the same, and gives no chunk that was read before", async () => {
  const { stream, left } = await startSilent(START + say("a") + say("b"));
  const chunks = stream[Symbol.asyncIterator]();
  await chunks.next();
  await chunks.next();
  stream.abort();
  expect(await failureOf(chunks.next())).toMatchObject({
    name: "AbortError",
    partial: { choices: [{ message: { content: "a" }, finish_reason: null }] },
  });
  expect(await failureOf(stream.final())).toBeInstanceOf(AbortError);
  await left;
});

test("abort() ends a chunk that is being waited for", async () => {
  const { stream, left } = await startSilent("");
  const next = failureOf(stream[Symbol.asyncIterator]().next());
  stream.abort();
  expect(await next).toBeInstanceOf(AbortError);
  await left;
});

test("abort() of a stream that nobody read ends the request", async () => {
  const { stream, left, signal } = await startSilent();
  stream.abort();
  await left;
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  expect(await failureOf(stream.text())).toBeInstanceOf(AbortError);
});

test("leaving the loop aborts the request", async () => {
  const { stream, left, signal } = await startSilent();
  for await (const chunk of stream) {
    expect(chunk.id).toBe("chatcmpl-1");
    break;
  }
  await left;
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  expect(await failureOf(stream.final())).toBeInstanceOf(AbortError);
});

test("an error in the loop aborts the request and is thrown as it is", async () => {
  const { stream, left } = await startSilent();
  const failure = new Error("mine");
  const reading = (async () => {
    for await (const _ of stream) throw failure;
  })();
  expect(await failureOf(reading)).toBe(failure);
  await left;
});

test("return() aborts, before the first chunk and while one is being waited for", async () => {
  const early = await startSilent();
  await early.stream[Symbol.asyncIterator]().return(undefined);
  await early.left;
  expect(await failureOf(early.stream.final())).toBeInstanceOf(AbortError);

  const { stream, left } = await startSilent("");
  const chunks = stream[Symbol.asyncIterator]();
  const next = failureOf(chunks.next());
  await chunks.return(undefined);
  expect(await next).toBeInstanceOf(AbortError);
  await left;
});

test("a fetch that knows no signals is ended all the same", async () => {
  let cancelled = false;
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(START)),
    cancel: () => {
      cancelled = true;
    },
  });
  const client = makeClient({ fetch: async () => new Response(body, { headers: SSE }) });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const failure = failureOf(stream.text());
  stream.abort();
  expect(await failure).toBeInstanceOf(AbortError);
  expect(cancelled).toBe(true);
});
