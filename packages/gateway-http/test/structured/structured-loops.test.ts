import { zodResponseFormat } from "openai/helpers/zod";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineAgent, type ModelAgentDefinition } from "../../src/index.ts";
import { ask, askStream, hi } from "../support/chat.ts";
import { pathOf } from "../support/sessions.ts";
import { chunk, type Script, startProvider } from "../support/stand-in-provider.ts";
import { startGateway } from "../support/start-gateway.ts";
import { clientTool } from "../tool-loop/with-tools.ts";
import { ANN, Person, startStructured } from "./structured.ts";

const response_format = zodResponseFormat(Person, "person");
const calls =
  (name: string): Script =>
  async (exchange) => {
    exchange.open();
    await exchange.say("Let me see.");
    await exchange.event(
      chunk({ tool_calls: [{ index: 0, id: "c1", type: "function", function: { name, arguments: "{}" } }] }),
    );
    exchange.finish("tool_calls");
  };
const says =
  (text: string): Script =>
  async (exchange) => {
    await exchange.open().say(text);
    exchange.finish();
  };
const inTurn =
  (...scripts: readonly Script[]): Script =>
  (exchange, index) =>
    scripts[Math.min(index, scripts.length - 1)]?.(exchange, index);

/** An agent with a tool, and a model that is to be asked in words. */
async function startLoop(script: Script, more: Partial<ModelAgentDefinition> = {}) {
  const provider = await startProvider(script);
  const tools = { look: { schema: z.object({}), run: () => "Ann is 3." } };
  const agent = defineAgent({ id: "main", model: "stand/in", tools, ...more });
  const door = await startGateway({
    config: {
      models: {
        providers: { stand: { baseUrl: provider.baseUrl, models: [{ id: "in", structuredOutput: "prompt" }] } },
      },
    },
    agents: [agent],
  });
  return { ...door, provider };
}

test("calls of the client's tools go to the client as they are", async () => {
  const door = await startStructured(calls("look"), "prompt");
  const { chunks, text, finishReason } = await askStream(door, hi({ response_format, tools: [clientTool("look")] }));
  expect([text, finishReason]).toEqual(["Let me see.", "tool_calls"]);
  expect(chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])[0]).toMatchObject({ id: "c1" });
  expect(door.sent()).toHaveLength(1);
});

test("in a tool loop the answer alone is checked, and is nothing but JSON", async () => {
  const door = await startLoop(inTurn(calls("look"), says("Ann, 3"), says(ANN)));
  const { text, json } = await ask(door, hi({ response_format }));
  expect([text, json.choices[0]?.finish_reason]).toEqual([ANN, "stop"]);
  const [, second, third] = door.provider.exchanges.map((exchange) => exchange.json.messages);
  // What it said beside its call it hears again.
  expect(second?.[2]).toMatchObject({ role: "assistant", content: "Let me see." });
  expect(third?.at(-2)).toEqual({ role: "assistant", content: "Ann, 3" });
  expect(third?.slice(0, second?.length)).toEqual(second);
});

test("to put it right is a step: at the last one there is none left", async () => {
  const door = await startLoop(inTurn(calls("look"), says("Ann, 3")), { maxSteps: 2 });
  const { json } = await ask(door, hi({ response_format }));
  expect(json.choices[0]?.message).toMatchObject({ content: null, refusal: expect.stringContaining("It is not JSON") });
  expect(door.provider.exchanges).toHaveLength(2);
});

test("a model that calls tools when it is to put right is refused", async () => {
  const door = await startLoop(inTurn(says("Ann, 3"), calls("look")));
  const { json } = await ask(door, hi({ response_format }));
  expect(json.choices[0]?.message.refusal).toContain("It calls tools.");
  expect(json.choices[0]?.message).not.toHaveProperty("tool_calls");
});

test("a refusal is kept in its session, and heard again as words", async () => {
  const door = await startStructured(["no", "no", "ok"], "prompt");
  const refused = await ask(door, hi({ response_format, user: "ann" }));
  const { refusal } = refused.json.choices[0]?.message ?? {};
  const kept = await (await door.request(pathOf("agent:main:openai-user:ann", "/messages"))).json();
  expect((kept as { data: object[] }).data[1]).toMatchObject({ role: "assistant", content: null, refusal });
  await ask(door, hi({ user: "ann" }));
  expect(door.sent()[2]?.messages).toEqual([
    { role: "user", content: "hi" },
    { role: "assistant", content: refusal },
    { role: "user", content: "hi" },
  ]);
  // The same when the client sends the whole talk back, as the SDK gave it.
  const talk = [{ role: "user", content: "hi" }, refused.json.choices[0]?.message, { role: "user", content: "and?" }];
  await ask(door, { model: "openclaw", messages: talk });
  expect(door.sent()[3]?.messages[1]).toEqual({ role: "assistant", content: refusal });
});

test("a keyed stream that was refused is replayed as it was", async () => {
  const door = await startStructured(["no"], "prompt");
  const headers = { "idempotency-key": "k" };
  const first = await askStream(door, hi({ response_format }), headers);
  expect(first.raw).toContain('"delta":{"refusal":"The model did not');
  expect((await askStream(door, hi({ response_format }), headers)).raw).toBe(first.raw);
});

test("a model that fails before its JSON is whole is replaced by one that knows the format", async () => {
  const broken = await startProvider(async (exchange) => {
    await exchange.open().say('{"name":');
    exchange.destroy();
  });
  const good = await startProvider(says(ANN));
  const door = await startGateway({
    config: {
      models: {
        providers: {
          a: { baseUrl: broken.baseUrl, models: [{ id: "x", structuredOutput: "prompt" }] },
          b: { baseUrl: good.baseUrl },
        },
      },
      agents: { list: [{ id: "main", model: { primary: "a/x", fallbacks: ["b/x"] } }] },
    },
  });
  const { text, json } = await ask(door, hi({ response_format }));
  expect([text, json.openclaw]).toEqual([ANN, { model: "b/x" }]);
  expect(broken.exchanges[0]?.json).not.toHaveProperty("response_format");
  expect(good.exchanges[0]?.json).toHaveProperty("response_format");
});
