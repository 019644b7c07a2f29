import { expect, test } from "vitest";
import { ask, askStream, hi } from "../support/chat.ts";
import { PROVIDER_KEY, startWithProvider } from "../support/provider-gateway.ts";
import { chunk, type Script } from "../support/stand-in-provider.ts";

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const said = data(chunk({ content: "a" }));

type Death = [title: string, script: Script, code: string, status: number];

/** How a provider can fail before it said anything. */
const BEFORE: Death[] = [
  ["429", (provider) => provider.answer(429, { error: { message: "slow" } }), "provider_rate_limited", 429],
  ["500", (provider) => provider.answer(500, { error: { message: "oops" } }), "provider_error", 502],
  ["401", (provider) => provider.answer(401, { error: { message: "who?" } }), "provider_auth", 502],
  ["404", (provider) => provider.answer(404, { error: { message: "what?" } }), "provider_model_not_found", 502],
  ["503", (provider) => provider.answer(503, "<html>busy</html>"), "provider_overloaded", 503],
  ["502 with a page", (provider) => provider.answer(502, "<html>nginx</html>"), "provider_error", 502],
  ["200 with a page", (provider) => provider.answer(200, "<html>log in</html>"), "provider_bad_response", 502],
  ["200 with an error", (provider) => provider.answer(200, { error: { message: "no" } }), "provider_error", 502],
  ["200 with an empty object", (provider) => provider.answer(200, {}), "provider_bad_response", 502],
  ["200 with JSON null", (provider) => provider.answer(200, null), "provider_bad_response", 502],
  [
    "200 with broken JSON",
    (provider) => provider.answer(200, "{", { "content-type": "application/json" }),
    "provider_bad_response",
    502,
  ],
  ["a cut before the head", (provider) => provider.destroy(), "provider_unreachable", 502],
  ["a cut after the head", (provider) => provider.open().destroy(), "provider_bad_response", 502],
  ["an end after the head", (provider) => provider.open().end(), "provider_bad_response", 502],
  ["an end in mid-event", (provider) => provider.open().end('data: {"cho'), "provider_bad_response", 502],
  ["garbage", (provider) => provider.open().end("data: nonsense\n\n"), "provider_bad_response", 502],
  ["an error event", (provider) => provider.open().end(data({ error: { message: "no" } })), "provider_error", 502],
  ["nothing but [DONE]", (provider) => provider.open().end("data: [DONE]\n\n"), "provider_bad_response", 502],
  [
    "an error event without a wrapper, as vLLM sends it",
    (provider) => provider.open().end(`${data({ object: "error", message: "no", code: 429 })}data: [DONE]\n\n`),
    "provider_rate_limited",
    429,
  ],
  [
    "an error event with a status",
    (provider) => provider.open().end(data({ error: { message: "no", code: 429 } })),
    "provider_rate_limited",
    429,
  ],
  [
    "a content filter before any word",
    (provider) => provider.open().end(`${data(chunk({}, "content_filter"))}data: [DONE]\n\n`),
    "content_filter",
    400,
  ],
];

for (const [title, script, code, status] of BEFORE) {
  test(`${title}: ${status} ${code}, streamed and not`, async () => {
    const { provider: _, ...gateway } = await startWithProvider({ script });
    for (const stream of [true, false]) {
      const { response, json } = await ask(gateway, hi({ stream }));
      expect([response.status, json.error.code]).toEqual([status, code]);
      expect(JSON.stringify(json)).not.toMatch(/html|nonsense|who\?/);
    }
  });
}

/** How a provider can fail after a word; each script follows `data: …a`. */
const AFTER: Death[] = [
  ["a cut between events", (provider) => provider.destroy(), "provider_bad_response", 0],
  [
    "a cut in mid-event",
    async (provider) => {
      await provider.write('data: {"choices":[{"delta":{"con');
      provider.destroy();
    },
    "provider_bad_response",
    0,
  ],
  ["an end without a finish", (provider) => provider.end(), "provider_bad_response", 0],
  ["an end in mid-event", (provider) => provider.end('data: {"choices'), "provider_bad_response", 0],
  ["garbage", (provider) => provider.end("data: nonsense\n\n"), "provider_bad_response", 0],
  ["an error event", (provider) => provider.end(data({ error: { message: "no" } })), "provider_error", 0],
  [
    "an error event of a named type",
    (provider) => provider.end(`event: error\n${data({ error: "no" })}`),
    "provider_error",
    0,
  ],
];

for (const [title, script, code] of AFTER) {
  test(`${title} after a word: the word, an error frame ${code}, [DONE]`, async () => {
    const { provider: _, ...gateway } = await startWithProvider({
      async script(exchange, index) {
        await exchange.open().write(said);
        await script(exchange, index);
      },
    });
    const { text, error } = await askStream(gateway);
    expect([text, error?.code]).toEqual(["a", code]);
    const { response } = await ask(gateway);
    expect(response.status).toBe(502);
  });
}

test("words that arrive together with the failure are still said", async () => {
  const { provider: _, ...gateway } = await startWithProvider({
    script: (exchange) => exchange.open().end(`${said}${data({ error: { message: "no" } })}`),
  });
  const { text, error } = await askStream(gateway);
  expect([text, error?.code]).toEqual(["a", "provider_error"]);
});

test("a provider that ends after its finish reason without [DONE] is fine", async () => {
  const { provider: _, ...gateway } = await startWithProvider({
    script: (exchange) => exchange.open().end(said + data(chunk({}, "stop"))),
  });
  const { text, finishReason } = await askStream(gateway);
  expect([text, finishReason]).toEqual(["a", "stop"]);
});

for (const [title, before] of [
  ["before its head", async () => {}],
  ["after its head", async (exchange) => void exchange.open()],
  ["in mid-stream", async (exchange) => void (await exchange.open().write(said))],
] as [string, Script][]) {
  test(`a provider that falls silent ${title} is given up on, and its connection closed`, async () => {
    const { provider, ...gateway } = await startWithProvider({ script: before, provider: { timeoutSeconds: 0.2 } });
    const { response, json } = await ask(gateway);
    expect([response.status, json.error.code]).toEqual([504, "provider_timeout"]);
    expect(response.headers.get("x-should-retry")).toBe("true");
    expect(await provider.exchanges[0]?.closed).toEqual({ early: true });
  });
}

test("comments of the provider count as life", async () => {
  const { provider: _, ...gateway } = await startWithProvider({
    provider: { timeoutSeconds: 0.5 },
    async script(exchange) {
      exchange.open();
      for (let count = 0; count < 8; count++) {
        await exchange.write(": working\n\n");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await exchange.say("a");
      exchange.finish();
    },
  });
  expect((await askStream(gateway)).text).toBe("a");
});

test("a provider whose stream breaks is not listened to any longer", async () => {
  const { provider, ...gateway } = await startWithProvider({
    async script(exchange) {
      await exchange.open().write("data: nonsense\n\n");
    },
  });
  expect((await ask(gateway)).status).toBe(502);
  expect(await provider.exchanges[0]?.closed).toEqual({ early: true });
});

test("a provider that is not there", async () => {
  const { provider: _, ...gateway } = await startWithProvider({ provider: { baseUrl: "http://127.0.0.1:1/v1" } });
  const { response, json } = await ask(gateway);
  expect([response.status, json.error.code]).toEqual([502, "provider_unreachable"]);
  expect(response.headers.get("x-should-retry")).toBe("true");
});

test("a provider's retry-after is passed on", async () => {
  const { provider: _, ...gateway } = await startWithProvider({
    script: (exchange) => exchange.answer(429, {}, { "retry-after": "17" }),
  });
  expect((await ask(gateway)).response.headers.get("retry-after")).toBe("17");
});

test("a provider that repeats our key does not give it away", async () => {
  const { provider: _, ...gateway } = await startWithProvider({
    script: (exchange) => exchange.answer(500, { error: { message: `got ${exchange.headers.authorization}` } }),
  });
  const { json } = await ask(gateway);
  expect(json.error.message).toBe("The provider stand answered 500: got Bearer ***");
  expect(JSON.stringify(json)).not.toContain(PROVIDER_KEY);
});

test("a failure is not tried again behind the caller's back", async () => {
  const { provider, ...gateway } = await startWithProvider({ script: (exchange) => exchange.destroy() });
  await ask(gateway);
  expect(provider.exchanges).toHaveLength(1);
});
