import { expect, test, vi } from "vitest";
import { failureOf, hi, makeClient, scripted } from "./support/client.ts";
import { startServer } from "./support/raw-server.ts";
import { HELLO, SSE } from "./support/wire.ts";

const answer = Response.json({ id: "chatcmpl-1" });
const busy = Response.json({}, { status: 503, headers: { "retry-after-ms": "0" } });
const keysOf = (requests: { init: RequestInit }[]) =>
  requests.map(({ init }) => new Headers(init.headers).get("idempotency-key"));

test("a call has one key over all its attempts, and each call another", async () => {
  const { client, requests } = scripted(busy, busy, answer);
  await client.chat.completions.create(hi);
  await client.chat.completions.create(hi);
  const keys = keysOf(requests);
  expect(keys).toHaveLength(4);
  expect(new Set(keys.slice(0, 3)).size).toBe(1);
  expect(keys[3]).not.toBe(keys[0]);
  for (const key of keys) expect(key).toMatch(/^[\x21-\x7e]{7,255}$/);
});

test("streams have one, too", async () => {
  const stream = new Response(HELLO, { headers: SSE });
  const { client, requests } = scripted(busy, stream, stream);
  for (let turn = 0; turn < 2; turn++) {
    await (await client.chat.completions.create({ ...hi, stream: true })).text();
  }
  const keys = keysOf(requests);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
});

test("keys do not repeat, and need no secure context", async () => {
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const { client, requests } = scripted(answer);
  try {
    for (let turn = 0; turn < 1000; turn++) await client.chat.completions.create(hi);
  } finally {
    vi.unstubAllGlobals();
  }
  expect(new Set(keysOf(requests)).size).toBe(1000);
});

test("a key of one's own is sent as it is", async () => {
  const { client, requests } = scripted(answer);
  await client.chat.completions.create(hi, { idempotencyKey: "order-42/~!" });
  expect(keysOf(requests)).toEqual(["order-42/~!"]);
});

test("without a key none is sent", async () => {
  const { client, requests } = scripted(answer);
  await client.chat.completions.create(hi, { idempotencyKey: false });
  await client.models.list();
  expect(keysOf(requests)).toEqual([null, null]);
});

test("a header of that name beats it, as it is what was meant", async () => {
  const { client, requests } = scripted(answer);
  await client.chat.completions.create(hi, { headers: { "Idempotency-Key": "mine" } });
  expect(keysOf(requests)).toEqual(["mine"]);
});

test.each(["", " ", "a b", "é", "x".repeat(256), "a\n"])("the key %j is refused before it is sent", async (key) => {
  let sent = 0;
  const client = makeClient({
    fetch: async () => {
      sent += 1;
      return answer.clone();
    },
  });
  const failure = await failureOf(client.chat.completions.create(hi, { idempotencyKey: key }));
  expect(failure).toMatchObject({ name: "OpenClawError", message: expect.stringContaining("`idempotencyKey`") });
  expect(sent).toBe(0);
});

test("an answer that broke off is asked for again under its key, and not without one", async () => {
  const keys: unknown[] = [];
  const { client } = await startServer(
    (response, { headers }) => {
      keys.push(headers["idempotency-key"]);
      response.writeHead(200, { "content-type": "application/json", "content-length": 19 });
      if (keys.length % 2 === 0) response.end('{"id":"chatcmpl-1"}');
      else response.write('{"id":', () => setImmediate(() => response.destroy()));
    },
    { maxRetries: 2 },
  );
  expect(await client.chat.completions.create(hi, { idempotencyKey: "k" })).toEqual({ id: "chatcmpl-1" });
  expect(keys).toEqual(["k", "k"]);
  const failure = await failureOf(client.chat.completions.create(hi, { idempotencyKey: false }));
  expect(failure).toMatchObject({ name: "ConnectionError", message: "The answer was cut short." });
  expect(keys).toEqual(["k", "k", undefined]);
});
