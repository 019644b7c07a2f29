import { expect, test } from "vitest";
import { failureOf, hi, makeClient, TOKEN } from "./support/client.ts";
import { bodyOf, DONE, error, finish, frame, HELLO, SSE, START, say } from "./support/wire.ts";

interface Sent {
  url: string;
  init: RequestInit;
}

/** A client whose stream begins and goes on when told to, and what else it sends. */
function begin(
  pieces: Iterable<string> = endless(),
  headers: Record<string, string> = { "x-openclaw-run-id": "run/1" },
) {
  const cancels: Sent[] = [];
  const client = makeClient({
    headers: { "x-tenant": "t" },
    fetch: async (url, init) => {
      if (!url.endsWith("/chat/completions")) {
        cancels.push({ url, init });
        throw new TypeError("fetch failed");
      }
      return new Response(bodyOf(pieces), { headers: { ...SSE, ...headers } });
    },
  });
  return { client, cancels, create: client.chat.completions.create };
}

function* endless() {
  for (let n = 0; ; n++) yield `id: run-1:${n}\n${n === 0 ? START : say("a")}`;
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

test.each([
  ["the signal", (_: unknown, controller: AbortController) => controller.abort()],
  ["abort()", (stream: { abort(): void }) => stream.abort()],
])("%s cancels the run, once, in a way that outlives the page", async (_, abort) => {
  const { create, cancels } = begin();
  const controller = new AbortController();
  const stream = await create({ ...hi, stream: true }, { signal: controller.signal, headers: { "x-call": "c" } });
  const chunks = stream[Symbol.asyncIterator]();
  await chunks.next();
  abort(stream, controller);
  stream.abort();
  controller.abort();
  expect(await failureOf(chunks.next())).toMatchObject({ name: "AbortError" });
  expect(await failureOf(stream.final())).toMatchObject({ name: "AbortError" });
  await settle();
  expect(cancels).toHaveLength(1);
  const [{ url, init }] = cancels as [Sent];
  expect(url).toBe("http://gateway.test/v1/chat/completions/run%2F1/cancel");
  expect(init).toMatchObject({ method: "POST", keepalive: true });
  const headers = new Headers(init.headers);
  expect(headers.get("authorization")).toBe(`Bearer ${TOKEN}`);
  expect([headers.get("x-tenant"), headers.get("x-call")]).toEqual(["t", "c"]);
  expect(headers.has("idempotency-key")).toBe(false);
});

test("leaving the loop cancels the run, also by an error and before the first chunk", async () => {
  const { create, cancels } = begin();
  for await (const _ of await create({ ...hi, stream: true })) break;
  const thrown = (async () => {
    for await (const _ of await create({ ...hi, stream: true })) throw new Error("mine");
  })();
  expect((await failureOf(thrown)).message).toBe("mine");
  await (await create({ ...hi, stream: true }))[Symbol.asyncIterator]().return(undefined);
  await settle();
  expect(cancels).toHaveLength(3);
});

test("a stream that nobody read is cancelled, too", async () => {
  const { create, cancels } = begin();
  (await create({ ...hi, stream: true })).abort();
  await settle();
  expect(cancels).toHaveLength(1);
});

test.each<[string, string]>([
  ["ended well", HELLO],
  ["failed", START + frame(error("internal_error")) + DONE],
  ["ended without a finish", START + DONE],
])("a run that %s is not cancelled", async (_, body) => {
  const { create, cancels } = begin([body]);
  const stream = await create({ ...hi, stream: true });
  await stream.final().catch(() => {});
  stream.abort();
  await settle();
  expect(cancels).toHaveLength(0);
});

test("a stream that was cut for good is not cancelled: its gateway cannot be reached", async () => {
  const { create, cancels } = begin([START + say("a")]);
  const stream = await create({ ...hi, stream: true });
  expect(await failureOf(stream.text())).toMatchObject({ name: "StreamTruncatedError" });
  await settle();
  expect(cancels).toHaveLength(0);
});

test("without a key leaving is enough, and without the run's id there is nothing to say", async () => {
  const keyless = begin();
  (await keyless.create({ ...hi, stream: true }, { idempotencyKey: false })).abort();
  const nameless = begin(endless(), {});
  (await nameless.create({ ...hi, stream: true })).abort();
  await settle();
  expect([...keyless.cancels, ...nameless.cancels]).toEqual([]);
});

test("an abort after the finish that comes before [DONE] does no harm", async () => {
  const { create, cancels } = begin([START + say("a") + finish(), ": keep-alive\n\n", DONE]);
  const stream = await create({ ...hi, stream: true });
  for await (const chunk of stream) if (chunk.choices[0]?.finish_reason) break;
  await settle();
  expect(cancels).toHaveLength(1);
});
