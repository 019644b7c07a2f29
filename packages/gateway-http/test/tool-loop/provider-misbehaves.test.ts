import { expect, test } from "vitest";
import { z } from "zod";
import { ask, hi } from "../support/chat.ts";
import { chunk, type Script } from "../support/stand-in-provider.ts";
import { startWithTools } from "./with-tools.ts";

type Exchange = Parameters<Script>[0];

/** A tool that counts how often it ran, and a provider that misbehaves once and then says "ok". */
async function startWith(misbehave: (exchange: Exchange) => unknown, provider = {}) {
  const texts: string[] = [];
  const door = await startWithTools({
    async says(exchange, index) {
      exchange.open();
      if (index === 0) return void (await misbehave(exchange));
      await exchange.say("ok");
      exchange.finish();
    },
    tools: {
      note: {
        schema: z.object({ text: z.string() }),
        run: ({ text }) => {
          texts.push(text);
          return `noted ${text}`;
        },
      },
    },
    provider,
  });
  return { ...door, texts };
}

const begin = (id: string, index = 0, args = "") =>
  chunk({ tool_calls: [{ index, id, type: "function", function: { name: "note", arguments: args } }] });
const goOn = (args: string, index = 0) => chunk({ tool_calls: [{ index, function: { arguments: args } }] });

test("a stream that breaks off in a tool call is a bad answer, and may be tried again", async () => {
  const door = await startWith(async (exchange) => {
    await exchange.event(begin("c1", 0, '{"te'));
    exchange.end();
  });
  const { status, json, response } = await ask(door);
  expect([status, json.error.code, response.headers.get("x-should-retry")]).toEqual([
    502,
    "provider_bad_response",
    "true",
  ]);
  expect(door.texts).toEqual([]);
});

test("a provider that stalls in a tool call is timed out", async () => {
  const door = await startWith((exchange) => exchange.event(begin("c1", 0, '{"te')), { timeoutSeconds: 0.2 });
  const { status, json } = await ask(door);
  expect([status, json.error.code]).toEqual([504, "provider_timeout"]);
  expect(door.texts).toEqual([]);
});

test("without a finish reason, calls are run all the same", async () => {
  const door = await startWith(async (exchange) => {
    await exchange.event(begin("c1", 0, '{"text":"a"}'));
    exchange.end("data: [DONE]\n\n");
  });
  expect((await ask(door)).text).toBe("ok");
  expect(door.texts).toEqual(["a"]);
});

test.each([
  ["tool_calls", "stop"],
  ["stop", "tool_calls"],
])("of two finish reasons, %s and %s, none makes a call run twice or not at all", async (one, other) => {
  const door = await startWith(async (exchange) => {
    await exchange.event(begin("c1", 0, '{"text":"a"}'));
    await exchange.event(chunk({}, one));
    exchange.finish(other);
  });
  expect((await ask(door)).text).toBe("ok");
  expect(door.texts).toEqual(["a"]);
});

test("calls of the same id are two calls, each with a result of its own", async () => {
  const door = await startWith(async (exchange) => {
    await exchange.event(begin("same", 0));
    await exchange.event(begin("same", 1));
    await exchange.event(goOn('{"text":"a"}', 0));
    await exchange.event(goOn('{"text":"b"}', 1));
    exchange.finish("tool_calls");
  });
  expect((await ask(door)).text).toBe("ok");
  expect(door.texts).toEqual(["a", "b"]);
  const [, step, ...results] = (door.provider.exchanges[1]?.json.messages ?? []) as unknown as [
    unknown,
    { tool_calls: { id: string }[] },
    ...{ tool_call_id: string; content: string }[],
  ];
  const ids = step.tool_calls.map(({ id }) => id);
  expect(new Set(ids).size).toBe(2);
  expect(results.map(({ tool_call_id, content }) => [tool_call_id, content])).toEqual([
    [ids[0], "noted a"],
    [ids[1], "noted b"],
  ]);
});

test("arguments without an end are a bad answer", async () => {
  const door = await startWith(async (exchange) => {
    await exchange.event(begin("c1"));
    for (let piece = 0; piece < 20; piece++) await exchange.event(goOn("x".repeat(64 * 1024)));
    exchange.finish("tool_calls");
  });
  const { status, json } = await ask(door, hi({ stream: false }));
  expect([status, json.error.code]).toEqual([502, "provider_bad_response"]);
});

test("more than 128 calls at once are a bad answer", async () => {
  const door = await startWith(async (exchange) => {
    for (let index = 0; index < 129; index++) await exchange.event(begin(`c${index}`, index, '{"text":"a"}'));
    exchange.finish("tool_calls");
  });
  expect((await ask(door)).json.error.code).toBe("provider_bad_response");
  expect(door.texts).toEqual([]);
});
