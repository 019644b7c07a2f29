import { expect, test } from "vitest";
import type { ClientOptions, ResumeInfo } from "../src/index.ts";
import { failureOf, hi, makeClient } from "./support/client.ts";
import { holdTimers } from "./support/held-timers.ts";
import { startKeyedServer } from "./support/keyed-server.ts";
import { runNode } from "./support/run-node.ts";
import { DONE, finish, HELLO, SSE, START, say } from "./support/wire.ts";

const IDLE = 123_456;
/** The first of the two timers that watch a read. */
const WATCH = IDLE - 1_000;
/** Everything that is due without waiting has happened. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A stream whose server says what the test says. */
async function open(options: Partial<ClientOptions> = { idleTimeout: IDLE }, ofCall: { idleTimeout?: number } = {}) {
  let server!: ReadableStreamDefaultController<Uint8Array>;
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      server = controller;
    },
    cancel: () => {
      isCancelled = true;
    },
  });
  const client = makeClient({ maxRetries: 0, fetch: async () => new Response(body, { headers: SSE }), ...options });
  const stream = await client.chat.completions.create({ ...hi, stream: true }, ofCall);
  return {
    stream,
    chunks: stream[Symbol.asyncIterator](),
    write: (text: string) => server.enqueue(new TextEncoder().encode(text)),
    isCancelled: () => isCancelled,
  };
}

test("a stream that says nothing is cut", async () => {
  const timers = holdTimers(WATCH);
  const { stream, chunks, write, isCancelled } = await open();
  write(START + say("Hel"));
  await chunks.next();
  await chunks.next();
  const next = failureOf(chunks.next());
  await settle();
  expect(timers.fire()).toBe(true);
  expect(isCancelled()).toBe(false);
  expect(timers.fire()).toBe(true);
  const failure = await next;
  expect(failure).toMatchObject({
    name: "StreamTruncatedError",
    message: "The stream fell silent.",
    cause: { name: "TimeoutError", message: `No sign of life for ${IDLE} ms.` },
    partial: { choices: [{ message: { content: "Hel" } }] },
  });
  expect(await failureOf(stream.final())).toBe(failure);
  expect(isCancelled()).toBe(true);
  expect(timers.size).toBe(0);
});

test("by the clock, too", async () => {
  const { chunks, isCancelled } = await open({ idleTimeout: 5 });
  expect(await failureOf(chunks.next())).toMatchObject({ cause: { message: "No sign of life for 5 ms." } });
  expect(isCancelled()).toBe(true);
});

test("a comment is a sign of life, and so is half of a line", async () => {
  const timers = holdTimers(WATCH);
  const { chunks, write } = await open();
  const next = chunks.next();
  for (const sign of [": keep-alive\n\n", ":", " still", " here\n"]) {
    await settle();
    // The time is almost over.
    expect(timers.fire()).toBe(true);
    write(sign);
    await settle();
  }
  expect(timers.size).toBe(1);
  write(START + say("Hello") + finish() + DONE);
  expect((await next).done).toBe(false);
});

test("what came while nobody could read it, as in a tab that slept, is read before time is up", async () => {
  const timers = holdTimers(WATCH);
  const { chunks, write } = await open();
  const next = chunks.next();
  await settle();
  // On waking: the timer is due, what came is still with the system.
  timers.fire();
  write(START);
  expect((await next).value?.id).toBe("chatcmpl-1");
  expect(timers.size).toBe(0);
});

test("whoever takes their time with a chunk is not a silent server", async () => {
  const timers = holdTimers(WATCH);
  const { chunks, write } = await open();
  write(START + say("a"));
  await chunks.next();
  await settle();
  expect(timers.size).toBe(0);
  await chunks.next();
  await settle();
  expect(timers.size).toBe(0);
  write(finish() + DONE);
  expect((await chunks.next()).value?.choices[0]?.finish_reason).toBe("stop");
  expect((await chunks.next()).done).toBe(true);
  expect(timers.fire()).toBe(false);
});

test.each<[string, Partial<ClientOptions>, { idleTimeout?: number }, number | undefined]>([
  ["a minute, unless told otherwise", {}, {}, 60_000],
  ["the client's", { idleTimeout: 5_000 }, {}, 5_000],
  ["the call's, which beats the client's", { idleTimeout: 5_000 }, { idleTimeout: 7_000 }, 7_000],
  ["none at all", { idleTimeout: Number.POSITIVE_INFINITY }, {}, undefined],
  ["none for this call", { idleTimeout: 5_000 }, { idleTimeout: Number.POSITIVE_INFINITY }, undefined],
  ["none, when it is longer than timers can be", {}, { idleTimeout: 2 ** 31 }, undefined],
])("how long: %s", async (_, ofClient, ofCall, expected) => {
  const timers = holdTimers((expected ?? 0) - 1_000);
  const { stream, chunks } = await open(ofClient, ofCall);
  const next = failureOf(chunks.next());
  await settle();
  expect(timers.fire()).toBe(expected !== undefined);
  if (expected === undefined) stream.abort();
  else timers.fire();
  const failure = await next;
  if (expected === undefined) expect(failure).toMatchObject({ name: "AbortError" });
  else expect(failure.cause).toMatchObject({ message: `No sign of life for ${expected} ms.` });
});

test.each([0, -1, Number.NaN])("%d ms are no time to wait", async (idleTimeout) => {
  expect(() => makeClient({ idleTimeout })).toThrow(/`idleTimeout` must be/);
  expect(await failureOf(makeClient().chat.completions.create(hi, { idleTimeout }))).toMatchObject({
    name: "OpenClawError",
  });
});

test("with a key, a stream that fell silent is come back to", async () => {
  const timers = holdTimers(WATCH);
  const answer = [START, say("Hel"), say("lo"), finish(), DONE];
  const { client, asked, startedRuns } = await startKeyedServer({
    answer,
    fate: (n) => (n === 0 ? { type: "silence", after: 2 } : { type: "whole" }),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true }, { idleTimeout: IDLE });
  const resumed: ResumeInfo[] = [];
  stream.on("resume", (info) => resumed.push(info));
  const seen = Promise.withResolvers<void>();
  stream.on("content", () => seen.resolve());
  const text = stream.text();
  await seen.promise;
  while (resumed.length === 0) {
    timers.fire();
    await settle();
  }
  expect(await text).toBe("Hello");
  expect(resumed).toEqual([{ attempt: 1, lastEventId: "run-1:1" }]);
  expect(asked.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "run-1:1"]);
  expect(startedRuns()).toBe(1);
  expect(timers.size).toBe(0);
});

test("however a stream ends, nothing keeps the process alive", async () => {
  const script = `
    import { createServer } from "node:http";
    import { createClient } from CLIENT;
    const answers = {
      whole: (response) => response.end(${JSON.stringify(HELLO)}),
      broken: (response) => response.write(${JSON.stringify(START)}, () => setImmediate(() => response.destroy())),
      silent: (response) => response.write(${JSON.stringify(START)}),
    };
    const server = createServer((request, response) => {
      response.writeHead(200, ${JSON.stringify(SSE)});
      answers[request.headers["x-answer"]](response);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = createClient({ baseUrl: "http://127.0.0.1:" + server.address().port, maxRetries: 0 });
    const open = (answer) =>
      client.chat.completions.create(
        { messages: [{ role: "user", content: "hi" }], stream: true },
        { headers: { "x-answer": answer }, idleTimeout: 3_600_000 },
      );
    const outcome = (reading) => reading.then(() => "well", (error) => error.name);
    const outcomes = [await outcome((await open("whole")).text()), await outcome((await open("broken")).text())];
    for await (const chunk of await open("silent")) break;
    const aborted = await open("silent");
    const reading = outcome(aborted.text());
    aborted.abort();
    outcomes.push(await reading);
    const copy = (await open("silent")).toReadableStream().getReader();
    await copy.read();
    const pending = copy.read();
    await copy.cancel();
    outcomes.push((await pending).done);
    console.log(outcomes.join());
    server.close();
    server.closeAllConnections();
  `;
  expect(await runNode(script)).toBe("well,StreamTruncatedError,AbortError,true\n");
}, 60_000);
