import { streamText } from "ai";
import { expect, test } from "vitest";
import { ask, hi, readStream } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { chunk } from "../support/stand-in-provider.ts";
import { aiSdkOf, openaiOf, TOOLS } from "./sdk-clients.ts";

/** A gateway whose provider streams these pieces of tool calls, one event each, and ends properly. */
function startWithPieces(...pieces: object[]) {
  return startWithProvider({
    async script(exchange) {
      exchange.open();
      for (const piece of pieces) await exchange.event(chunk({ tool_calls: [piece] }));
      exchange.finish("tool_calls");
    },
  });
}

const BEGUN = { index: 0, id: "call_a", type: "function", function: { arguments: '{"a"' } };
const REST = { index: 0, function: { arguments: ": 4}" } };
const NAME = { index: 0, function: { name: "sum" } };

test("a call whose name comes last reaches clients as one whose name came first", async () => {
  const { url } = await startWithPieces(BEGUN, REST, NAME);
  const messages = [{ role: "user" as const, content: "hi" }];
  const request = { model: "openclaw", messages, tools: TOOLS };
  const streamed = await openaiOf(url).chat.completions.stream(request).finalChatCompletion();
  const whole = await openaiOf(url).chat.completions.create(request);
  for (const { choices } of [streamed, whole]) {
    expect(choices[0]?.finish_reason).toBe("tool_calls");
    expect(choices[0]?.message.tool_calls).toMatchObject([
      { id: "call_a", type: "function", function: { name: "sum", arguments: '{"a": 4}' } },
    ]);
  }
});

test("a provider's call that never gets a name is a bad response, streamed or not", async () => {
  const gateway = await startWithPieces(BEGUN, REST);
  const body = hi({ tools: TOOLS });
  const { status, json, response } = await ask(gateway, body);
  expect([status, json.error.code]).toEqual([502, "provider_bad_response"]);
  expect(response.headers.get("x-should-retry")).toBe("true");
  const streamed = await ask(gateway, { ...body, stream: true });
  expect([streamed.status, streamed.json.error.code]).toEqual([502, "provider_bad_response"]);
});

test("a whole answer with a call that has no name is a bad response", async () => {
  const message = { role: "assistant", content: null, tool_calls: [{ ...BEGUN, index: undefined }] };
  const gateway = await startWithProvider({
    script: (exchange) => exchange.answer(200, { choices: [{ index: 0, message, finish_reason: "tool_calls" }] }),
  });
  expect((await ask(gateway, hi({ tools: TOOLS }))).json.error.code).toBe("provider_bad_response");
});

test("a call without a name ends a stream that has begun with an error, which clients throw", async () => {
  const begin = async () => {
    const { promise: seen, resolve: saw } = Promise.withResolvers<void>();
    const gateway = await startWithProvider({
      async script(exchange) {
        await exchange.open().say("Let me see.");
        await seen;
        await exchange.event(chunk({ tool_calls: [BEGUN] }));
        exchange.finish("tool_calls");
      },
    });
    return { ...gateway, saw };
  };
  const plain = await begin();
  const response = await plain.request("/v1/chat/completions", { body: hi({ tools: TOOLS, stream: true }) });
  plain.saw();
  const { text, error } = await readStream(response);
  expect([text, error?.code]).toEqual(["Let me see.", "provider_bad_response"]);

  const { url, saw } = await begin();
  const errors: unknown[] = [];
  const { fullStream } = streamText({
    model: aiSdkOf(url),
    prompt: "hi",
    onError: ({ error }) => void errors.push(error),
  });
  for await (const part of fullStream) if (part.type === "text-delta") saw();
  expect(errors).toMatchObject([{ code: "provider_bad_response" }]);
});

test("two calls of one id come out with two, and their results find them again", async () => {
  const { provider, url } = await startWithPieces(
    { index: 0, id: "same", type: "function", function: { name: "sum", arguments: '{"a": 4}' } },
    { index: 1, id: "same", type: "function", function: { name: "now", arguments: "{" } },
    { index: 1, id: "same", function: { arguments: "}" } },
  );
  const client = openaiOf(url);
  const messages = [{ role: "user" as const, content: "hi" }];
  const { choices } = await client.chat.completions.create({ model: "openclaw", messages, tools: TOOLS, user: "ann" });
  const calls = choices[0]?.message.tool_calls ?? [];
  expect(calls).toMatchObject([{ id: "same" }, { id: expect.stringMatching(/^call_/), function: { arguments: "{}" } }]);
  const results = calls.map(({ id }, at) => ({ role: "tool" as const, tool_call_id: id, content: `${at}` }));
  await client.chat.completions.create({ model: "openclaw", messages: results, tools: TOOLS, user: "ann" });
  expect(provider.exchanges[1]?.json.messages.slice(1)).toMatchObject([{ tool_calls: calls }, ...results]);
});
