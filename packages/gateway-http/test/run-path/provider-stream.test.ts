import { expect, test } from "vitest";
import { ask, askStream, hi } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";

const withUsage = hi({ stream_options: { include_usage: true } });

test("a provider's stream goes through token by token, with what it asked of the provider", async () => {
  const { provider, ...gateway } = await startWithProvider();
  const answer = askStream(gateway, withUsage);
  const exchange = (await provider.next()).open();
  await exchange.say("Hel");
  await exchange.say("lo");
  exchange.finish("length", { prompt_tokens: 7, completion_tokens: 2 });
  const { text, chunks, finishReason } = await answer;
  expect([text, finishReason]).toEqual(["Hello", "length"]);
  expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 });
  expect(exchange.path).toBe("/v1/chat/completions");
  expect(exchange.headers.authorization).toBe("Bearer sk-stand-in-0123456789");
  expect(exchange.json).toEqual({
    model: "in",
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: "user", content: "hi" }],
  });
});

test("a provider that answers a stream in one piece, or one piece with a stream, is understood", async () => {
  const { provider, ...gateway } = await startWithProvider();
  const streamed = askStream(gateway);
  (await provider.next()).answer(200, { choices: [{ message: { content: "whole" }, finish_reason: "stop" }] });
  expect((await streamed).text).toBe("whole");
  const whole = ask(gateway);
  const exchange = (await provider.next()).open();
  await exchange.say("pieces");
  exchange.finish();
  expect((await whole).text).toBe("pieces");
});

test("a provider that says first that an answer will come is waited for", async () => {
  const { provider, ...gateway } = await startWithProvider();
  const answer = askStream(gateway);
  const exchange = await provider.next();
  exchange.processing();
  await exchange.open().say("a");
  exchange.finish();
  expect((await answer).text).toBe("a");
});

test("bytes that trickle in one by one make the same answer", async () => {
  const { provider, ...gateway } = await startWithProvider();
  const answer = askStream(gateway);
  const exchange = (await provider.next()).open();
  await exchange.trickle('data: {"choices":[{"delta":{"content":"é😀"}}]}\r\n\r\n');
  exchange.finish();
  expect((await answer).text).toBe("é😀");
});

test("a provider's connection is used again after a whole answer", async () => {
  const { provider, ...gateway } = await startWithProvider({
    async script(exchange) {
      if (!exchange.json.stream) return exchange.answer(200, { choices: [{ message: { content: "a" } }] });
      await exchange.open().say("a");
      exchange.finish();
    },
  });
  for (const once of [askStream, ask, askStream, ask]) await once(gateway);
  expect(new Set(provider.exchanges.map(({ peerPort }) => peerPort)).size).toBe(1);
});
