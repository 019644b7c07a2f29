import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { ChatCompletionChunk, ChatStream } from "../src/index.ts";
import { failureOf, hi, makeClient } from "./support/client.ts";
import { openCounted } from "./support/counted.ts";
import { gone, startServer } from "./support/raw-server.ts";
import { bodyOf, DONE, error, finish, frame, HELLO, SSE, START, say } from "./support/wire.ts";

async function open(...pieces: string[]): Promise<ChatStream> {
  const client = makeClient({ maxRetries: 0, fetch: async () => new Response(bodyOf(pieces), { headers: SSE }) });
  return client.chat.completions.create({ ...hi, stream: true });
}

/** A server that says this much and then nothing. */
async function openSilent(text = START + say("a")) {
  const left = Promise.withResolvers<void>();
  const { client } = await startServer((response) => {
    void gone(response).then(left.resolve);
    response.writeHead(200, SSE).write(text);
  });
  return { stream: await client.chat.completions.create({ ...hi, stream: true }), left: left.promise };
}

const contentOf = ({ choices }: ChatCompletionChunk) => choices[0]?.delta.content;

async function collect(chunks: AsyncIterable<ChatCompletionChunk>) {
  const all: unknown[] = [];
  for await (const chunk of chunks) all.push(contentOf(chunk));
  return all;
}

const WHOLE = ["", "Hel", "lo", undefined];

test("both get everything, in order, side by side or one after the other", async () => {
  const [left, right] = (await open(HELLO)).tee();
  expect(await Promise.all([collect(left), collect(right)])).toEqual([WHOLE, WHOLE]);

  const stream = await open(HELLO);
  const [first, second] = stream.tee();
  expect(await collect(second)).toEqual(WHOLE);
  expect(await stream.text()).toBe("Hello");
  expect(await collect(first)).toEqual(WHOLE);
});

test("whoever is ahead reads on, and who is behind gets the same chunks", async () => {
  const [left, right] = (await open(...HELLO.split(/(?<=\n\n)/))).tee().map((half) => half[Symbol.asyncIterator]());
  const seen: ChatCompletionChunk[] = [];
  for (let n = 0; n < 3; n++) seen.push((await left?.next())?.value as ChatCompletionChunk);
  for (let n = 0; n < 3; n++) expect((await right?.next())?.value).toBe(seen[n]);
  const last = (await right?.next())?.value;
  expect((await left?.next())?.value).toBe(last);
  expect([await left?.next(), await right?.next()]).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
});

test("many are asked for at once and come in order", async () => {
  const [left, right] = (await open(HELLO)).tee().map((half) => half[Symbol.asyncIterator]());
  const asked = [left?.next(), right?.next(), right?.next(), left?.next(), right?.next()];
  const results = await Promise.all(asked);
  expect(results.map((result) => contentOf(result?.value as ChatCompletionChunk))).toEqual([
    "",
    "",
    "Hel",
    "Hel",
    "lo",
  ]);
});

test("nothing is read ahead of the faster one", async () => {
  const { stream, given } = await openCounted();
  const [left, right] = stream.tee().map((half) => half[Symbol.asyncIterator]());
  expect(given()).toBe(0);
  await left?.next();
  await left?.next();
  expect(given()).toBe(2);
  await right?.next();
  await right?.next();
  expect(given()).toBe(2);
});

test("one leaves and the other goes on", async () => {
  const stream = await open(HELLO);
  const [left, right] = stream.tee();
  for await (const _ of left) break;
  expect(await collect(right)).toEqual(WHOLE);
  expect(await stream.text()).toBe("Hello");
});

test.each([
  ["is kept for who is behind", false],
  ["is not kept for who left", true],
])("what one has read %s", async (_, leaves) => {
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  const [behind, ahead] = (await open(START, ...Array.from("abcdef", say), finish() + DONE)).tee();
  const other = behind[Symbol.asyncIterator]();
  await other.next();
  if (leaves) await other.return?.();
  const read: WeakRef<object>[] = [];
  for await (const chunk of ahead) read.push(new WeakRef(chunk));
  const isKept = () => {
    gc();
    return read.slice(1, -2).some((chunk) => chunk.deref() !== undefined);
  };
  // A weak reference holds what it refers to until the task is over.
  await expect.poll(isKept, { timeout: 10_000 }).toBe(!leaves);
  if (!leaves) expect(contentOf((await other.next()).value)).toBe("a");
});

test("when both have left the request is aborted", async () => {
  const { stream, left } = await openSilent();
  const [first, second] = stream.tee();
  for await (const _ of first) break;
  const next = second[Symbol.asyncIterator]();
  expect(contentOf((await next.next()).value)).toBe("");
  await next.return?.();
  expect(await next.next()).toEqual({ done: true, value: undefined });
  await left;
  expect(await failureOf(stream.final())).toMatchObject({ name: "AbortError" });
});

test("leaving twice is leaving once", async () => {
  const { stream, left } = await openSilent();
  const [first, second] = stream.tee().map((half) => half[Symbol.asyncIterator]());
  await first?.return?.();
  await first?.return?.();
  expect(contentOf((await second?.next())?.value as ChatCompletionChunk)).toBe("");
  await second?.return?.();
  await left;
});

test("an error reaches both, after what came before it", async () => {
  const [left, right] = (await open(START + say("a") + frame(error("internal_error")) + DONE)).tee();
  const seen: unknown[] = [];
  const read = async (chunks: AsyncIterable<ChatCompletionChunk>) => {
    for await (const chunk of chunks) seen.push(contentOf(chunk));
  };
  const failure = await failureOf(read(left));
  expect(failure).toMatchObject({ name: "APIError", code: "internal_error" });
  expect(await failureOf(read(right))).toBe(failure);
  expect(seen).toEqual(["", "a", "", "a"]);
});

test("an abort reaches both, also who has left nothing unread", async () => {
  const { stream, left } = await openSilent();
  const halves = stream.tee().map((half) => failureOf(collect(half)));
  stream.abort();
  expect((await Promise.all(halves)).map(({ name }) => name)).toEqual(["AbortError", "AbortError"]);
  await left;
});

test("a stream has two halves once, and a half one reader", async () => {
  const stream = await open(HELLO);
  const [half] = stream.tee();
  expect(() => stream.tee()).toThrow("This stream has been read.");
  expect(() => stream.toReadableStream()).toThrow("This stream has been read.");
  await collect(half);
  expect(await failureOf(collect(half))).toMatchObject({
    name: "OpenClawError",
    message: "This half of the stream has been read.",
  });
});
