import { getEventListeners } from "node:events";
import { beforeEach, expect, test, vi } from "vitest";
import type { ChatCompletionChunk, ChatStream, ResumeInfo } from "../src/index.ts";
import { failureOf, hi, makeClient } from "./support/client.ts";
import { type Fate, startKeyedServer } from "./support/keyed-server.ts";
import { DONE, delta, error, finish, frame, HEAD, SSE, START, say, usage } from "./support/wire.ts";

/** The back-off takes a hundredth of its time, by the clock all of it. */
beforeEach(() => {
  const { setTimeout } = globalThis;
  const { now } = Date;
  let skipped = 0;
  vi.spyOn(Date, "now").mockImplementation(() => now() + skipped);
  const hasten = (task: () => void, delay = 0, ...rest: []) => {
    // Less a part by chance it is no whole number. The tick of Node's own `fetch` is (499 ms): with that a hundredth, a
    // connection that takes 0.1 s is one that took 10 s.
    if (Number.isInteger(delay) || delay < 375 || delay > 8_000) return setTimeout(task, delay, ...rest);
    const fire = () => {
      skipped += delay;
      task();
    };
    return setTimeout(fire, delay / 100);
  };
  vi.spyOn(globalThis, "setTimeout").mockImplementation(hasten as typeof setTimeout);
});

const call = delta({
  tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "" } }],
});
const ANSWER = [START, say("Zür"), say("ich 🦞\n"), call, say("!"), finish("tool_calls"), usage, DONE];
const CHUNKS = ANSWER.slice(0, -1).map((event) => JSON.parse(event.slice("data: ".length)));
const WHOLE: Fate = { type: "whole" };

/** The fates of the first connections, one after the other; every later one is whole. */
const fates =
  (...all: Fate[]) =>
  (n: number) =>
    all[n] ?? WHOLE;

async function collect(stream: ChatStream) {
  const chunks: ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** Bytes of events `from` up to `to` as they are sent. */
const sizeOf = (from: number, to: number) =>
  ANSWER.slice(from, to).reduce((sum, event, n) => sum + Buffer.byteLength(`id: run-1:${from + n}\n${event}`), 0);

test("a stream cut at every event boundary and at every byte of three events equals the uncut one", async () => {
  const cuts = ANSWER.map((_, n) => sizeOf(0, n));
  // The one with the emoji, the one that finishes, and [DONE].
  for (const n of [2, 5, 7]) for (let at = sizeOf(0, n); at < sizeOf(0, n + 1); at++) cuts.push(at);
  // One server each, so that all run ids are as long.
  const outcomes = cuts.flatMap((after) =>
    (["end", "destroy"] as const).map(async (how) => {
      const { client, asked, startedRuns } = await startKeyedServer({
        answer: ANSWER,
        fate: fates({ type: "cut", after, how }),
      });
      const stream = await client.chat.completions.create({ ...hi, stream: true });
      const resumed: ResumeInfo[] = [];
      const chunks = await collect(stream.on("resume", (info) => resumed.push(info)));
      expect(chunks, `cut after ${after} bytes (${how})`).toEqual(CHUNKS);
      const read = ANSWER.filter((_, n) => n < ANSWER.length - 1 && sizeOf(0, n + 1) <= after).length;
      const lastEventId = read > 0 ? `run-1:${read - 1}` : undefined;
      expect(resumed).toEqual([{ attempt: 1, lastEventId }]);
      expect(asked.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, lastEventId]);
      expect(startedRuns()).toBe(1);
      return stream.final();
    }),
  );
  const [first, ...others] = await Promise.all(outcomes);
  expect(first?.choices[0]).toMatchObject({ message: { content: "Zürich 🦞\n!" }, finish_reason: "tool_calls" });
  for (const other of others) expect(other).toEqual(first);
}, 60_000);

test("a stream may be cut again and again while it comes back, as long as each time something new came", async () => {
  const each = (n: number): Fate => ({ type: "cut", after: sizeOf(n, n + 1) + 20 });
  const { client, asked } = await startKeyedServer({
    answer: ANSWER,
    fate: fates(...ANSWER.slice(0, -1).map((_, n) => each(n))),
    maxRetries: 1,
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const attempts: number[] = [];
  expect(await collect(stream.on("resume", ({ attempt }) => attempts.push(attempt)))).toEqual(CHUNKS);
  expect(attempts).toEqual(CHUNKS.map(() => 1));
  const first = asked[0];
  for (const { headers, body } of asked) {
    expect(body).toBe(first?.body);
    expect(headers["idempotency-key"]).toBe(first?.headers["idempotency-key"]);
  }
});

test("what is sent again is what was sent first, even if its object has changed", async () => {
  const { client, asked } = await startKeyedServer({
    answer: ANSWER,
    fate: fates({ type: "cut", after: sizeOf(0, 2) }),
  });
  const params = { messages: [{ role: "user" as const, content: "hi" }], stream: true as const };
  const stream = await client.chat.completions.create(params);
  params.messages.push({ role: "user", content: "and" });
  expect(await collect(stream)).toEqual(CHUNKS);
  expect(new Set(asked.map(({ body }) => body)).size).toBe(1);
});

test("it comes back for half a minute, and then says what had come", async () => {
  const nothing: Fate = { type: "cut", after: 0 };
  const { client, asked } = await startKeyedServer({
    answer: ANSWER,
    fate: (n) => (n === 0 ? { type: "cut", after: sizeOf(0, 2) } : nothing),
    maxRetries: 1,
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const attempts: number[] = [];
  expect(await failureOf(stream.on("resume", ({ attempt }) => attempts.push(attempt)).final())).toMatchObject({
    name: "StreamTruncatedError",
    partial: { choices: [{ message: { content: "Zür" } }] },
  });
  // 0.5, 1, 2, 4, 8, 8, 8 s, each less up to a quarter; fewer on a machine that is slow itself.
  expect(attempts.length).toBeGreaterThanOrEqual(4);
  expect(attempts.length).toBeLessThanOrEqual(10);
  expect(asked).toHaveLength(attempts.length + 1);
});

test("another run is not the rest of the one that was cut", async () => {
  let asked = 0;
  const client = makeClient({
    fetch: async () => {
      const run = `run-${++asked}`;
      const numbered = ANSWER.map((event, n) => `id: ${run}:${n}\n${event}`);
      return new Response(numbered.slice(0, asked === 1 ? 2 : 99).join(""), {
        headers: { ...SSE, "x-openclaw-run-id": run },
      });
    },
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await failureOf(stream.text())).toMatchObject({
    name: "StreamTruncatedError",
    message: "Another run came in its place.",
    partial: { choices: [{ message: { content: "Zür" } }] },
  });
  expect(asked).toBe(2);
});

test("what began anew before anything had come is what is cancelled", async () => {
  const cancelled: string[] = [];
  let asked = 0;
  const client = makeClient({
    fetch: async (url) => {
      if (url.endsWith("/cancel")) {
        cancelled.push(url);
        return Response.json({});
      }
      const run = `run-${++asked}`;
      return new Response(asked === 1 ? "" : `id: ${run}:0\n${START}`, {
        headers: { ...SSE, "x-openclaw-run-id": run },
      });
    },
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(stream.runId).toBe("run-1");
  for await (const _ of stream) break;
  expect(stream.runId).toBe("run-2");
  await expect.poll(() => cancelled).toEqual([expect.stringContaining("/run-2/cancel")]);
});

test("a gateway that is gone is a cut stream, with the reason", async () => {
  const { client, server } = await startKeyedServer({
    answer: ANSWER,
    fate: fates({ type: "cut", after: sizeOf(0, 2) }),
    maxRetries: 1,
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  stream.on("resume", () => void server.close());
  expect(await failureOf(stream.text())).toMatchObject({
    name: "StreamTruncatedError",
    message: expect.stringMatching(/^The stream was cut and could not be resumed: Cannot reach .* \(ECONNREFUSED\)\.$/),
    cause: { name: "ConnectionError" },
    partial: { choices: [{ message: { content: "Zür" } }] },
  });
});

test("an answer that is lost is a cut stream, and nothing is started anew", async () => {
  const { client, runs, asked, startedRuns } = await startKeyedServer({
    answer: ANSWER,
    fate: fates({ type: "cut", after: sizeOf(0, 2) }),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  stream.on("resume", () => runs.clear());
  expect(await failureOf(stream.text())).toMatchObject({
    name: "StreamTruncatedError",
    message: "The stream was cut and could not be resumed: It is gone.",
    cause: { name: "APIError", status: 409, code: "resume_lost" },
    partial: { choices: [{ message: { content: "Zür" } }] },
  });
  expect(asked).toHaveLength(2);
  expect(startedRuns()).toBe(1);
});

test.each([
  [401, "invalid_api_key"],
  [404, "endpoint_disabled"],
  [409, "idempotency_key_conflict"],
])("a %i %s in place of the rest is thrown as it is, at once", async (status, code) => {
  const { client, asked } = await startKeyedServer({
    answer: ANSWER,
    fate: fates({ type: "cut", after: sizeOf(0, 2) }, { type: "refuse", status, code }),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await failureOf(stream.text())).toMatchObject({
    name: "APIError",
    status,
    code,
    partial: { choices: [{ message: { content: "Zür" } }] },
  });
  expect(asked).toHaveLength(2);
});

test("a refusal that may pass is waited for as it asks", async () => {
  const busy: Fate = {
    type: "refuse",
    status: 503,
    code: "gateway_draining",
    headers: { "retry-after-ms": "1", "x-should-retry": "true" },
  };
  const { client, asked } = await startKeyedServer({
    answer: ANSWER,
    fate: fates({ type: "cut", after: sizeOf(0, 2) }, busy),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const resumed: ResumeInfo[] = [];
  expect(await collect(stream.on("resume", (info) => resumed.push(info)))).toEqual(CHUNKS);
  expect(resumed).toEqual([
    { attempt: 1, lastEventId: "run-1:1" },
    { attempt: 2, lastEventId: "run-1:1" },
  ]);
  expect(asked).toHaveLength(3);
});

test("a gateway that shuts down in the midst of it is come back to, when it said", async () => {
  const { client, asked } = await startKeyedServer({
    answer: ANSWER,
    fate: fates(
      { type: "drain", after: 3, retry: 150 },
      { type: "drain", after: 0, retry: 1 },
      { type: "drain", after: 1 },
    ),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const began = performance.now();
  const chunks = stream[Symbol.asyncIterator]();
  for (let n = 0; n < 4; n++) expect((await chunks.next()).value).toEqual(CHUNKS[n]);
  expect(performance.now() - began).toBeGreaterThanOrEqual(140);
  for (let n = 4; n < CHUNKS.length; n++) expect((await chunks.next()).value).toEqual(CHUNKS[n]);
  expect(await chunks.next()).toEqual({ done: true, value: undefined });
  expect(asked.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "run-1:2", "run-1:2", "run-1:3"]);
});

test("without a key, a gateway that shuts down is an error with its wait", async () => {
  const { client, asked } = await startKeyedServer({
    answer: ANSWER,
    fate: fates({ type: "drain", after: 3, retry: 2500 }),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true }, { idempotencyKey: false });
  expect(await failureOf(stream.text())).toMatchObject({
    name: "APIError",
    code: "gateway_draining",
    status: 503,
    retryAfter: 2.5,
    partial: { choices: [{ message: { content: "Zürich 🦞\n" } }] },
  });
  expect(asked).toHaveLength(1);
});

test("any other error in the midst is the answer's own: nobody comes back for it", async () => {
  const { client, asked } = await startKeyedServer({
    answer: [START, frame(error("provider_overloaded")), DONE],
    fate: fates(),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await failureOf(stream.text())).toMatchObject({ name: "APIError", code: "provider_overloaded" });
  expect(asked).toHaveLength(1);
});

test.each<[string, { keyed?: boolean; idempotencyKey?: false; maxRetries?: number }]>([
  ["a server that numbers nothing", { keyed: false }],
  ["a call without key", { idempotencyKey: false }],
  ["a call without retries", { maxRetries: 0 }],
])("%s is not asked again", async (_, { keyed = true, ...options }) => {
  const { client, asked } = await startKeyedServer({
    answer: ANSWER,
    fate: fates({ type: "cut", after: 600 }),
    keyed,
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true }, options);
  const onResume = vi.fn();
  expect(await failureOf(stream.on("resume", onResume).text())).toMatchObject({ name: "StreamTruncatedError" });
  expect(onResume).not.toHaveBeenCalled();
  expect(asked).toHaveLength(1);
});

test("what a server says twice is given once", async () => {
  const numbered = ANSWER.map((event, n) => `id: run:with:colons:${n}\n${event}`);
  let asked = 0;
  const client = makeClient({
    fetch: async () => {
      const all = asked++ === 0 ? numbered.slice(0, 4) : numbered;
      return new Response(all.join(""), { headers: { ...SSE, "x-openclaw-run-id": "run:with:colons" } });
    },
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await collect(stream)).toEqual(CHUNKS);
  expect(asked).toBe(2);
});

test("a server that numbers its events otherwise is not asked to go on: it would begin anew", async () => {
  let asked = 0;
  const client = makeClient({
    fetch: async () => {
      asked++;
      const numbered = ANSWER.map((event, n) => `id: ${n}\n${event}`);
      return new Response(numbered.slice(0, 3).join(""), { headers: SSE });
    },
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await failureOf(collect(stream))).toMatchObject({ name: "StreamTruncatedError" });
  expect(asked).toBe(1);
});

test("a keep-alive is no event: it neither counts as progress nor as the last one", async () => {
  const { client, asked } = await startKeyedServer({ answer: ANSWER, fate: fates({ type: "silence", after: 2 }) });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const chunks = stream[Symbol.asyncIterator]();
  expect((await chunks.next()).value).toEqual(CHUNKS[0]);
  expect((await chunks.next()).value).toEqual(CHUNKS[1]);
  const next = chunks.next();
  stream.abort();
  expect(await failureOf(next)).toMatchObject({ name: "AbortError" });
  expect(asked).toHaveLength(1);
});

test("an abort ends the wait to come back at once", async () => {
  const { client, asked } = await startKeyedServer({
    answer: ANSWER,
    fate: fates({ type: "drain", after: 2, retry: 50_000 }),
  });
  const controller = new AbortController();
  const stream = await client.chat.completions.create({ ...hi, stream: true }, { signal: controller.signal });
  stream.on("resume", () => setTimeout(() => controller.abort("enough"), 20));
  const failure = await failureOf(collect(stream));
  expect(failure).toMatchObject({
    name: "AbortError",
    cause: "enough",
    partial: { choices: [{ message: { content: "Zür" } }] },
  });
  expect(await failureOf(stream.final())).toBe(failure);
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  expect(asked).toHaveLength(1);
});

test("an abort by the listener itself is one too", async () => {
  const { client, asked } = await startKeyedServer({ answer: ANSWER, fate: fates({ type: "cut", after: 0 }) });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await failureOf(stream.on("resume", () => stream.abort()).text())).toMatchObject({ name: "AbortError" });
  expect(asked).toHaveLength(1);
});

test("an abort while it comes back ends that, too", async () => {
  const { client, asked } = await startKeyedServer({
    answer: ANSWER,
    fate: fates({ type: "cut", after: sizeOf(0, 2) }, { type: "nothing" }),
  });
  const controller = new AbortController();
  const stream = await client.chat.completions.create({ ...hi, stream: true }, { signal: controller.signal });
  const failure = failureOf(collect(stream));
  await expect.poll(() => asked.length, { timeout: 10_000 }).toBe(2);
  controller.abort("enough");
  expect(await failure).toMatchObject({ name: "AbortError", cause: "enough", partial: { id: HEAD.id } });
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
});

test("a stream that came back is aborted like any other", async () => {
  const { client, cancels } = await startKeyedServer({
    answer: ANSWER,
    fate: fates({ type: "cut", after: sizeOf(0, 2) }, { type: "silence", after: 2 }),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const chunks = stream[Symbol.asyncIterator]();
  for (let n = 0; n < 4; n++) expect((await chunks.next()).value).toEqual(CHUNKS[n]);
  const next = failureOf(chunks.next());
  await chunks.return(undefined);
  expect(await next).toMatchObject({ name: "AbortError" });
  await expect.poll(() => cancels.length).toBe(1);
});

test("a finished stream holds neither timers nor the signal", async () => {
  const { client } = await startKeyedServer({ answer: ANSWER, fate: fates({ type: "cut", after: 300 }) });
  const { signal } = new AbortController();
  const stream = await client.chat.completions.create({ ...hi, stream: true }, { signal });
  await stream.final();
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});
