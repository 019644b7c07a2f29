import { expect, test } from "vitest";
import { z } from "zod";
import { defineAgent } from "../../src/index.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { chunk, startProvider } from "../support/stand-in-provider.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const say = (message: string, idempotencyKey: string) => ({ sessionKey: "s", message, idempotencyKey });
const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
const ended = ({ state }: { state: string }) => state !== "delta";

test("a model's turn says which model it was, and what it cost", async () => {
  const { url } = await startWithProvider({
    async script(exchange) {
      await exchange.open().say("Hello");
      exchange.finish("stop", USAGE);
    },
  });
  const client = await connectWatched(url, { token: TOKEN });
  client.send({ type: "req", id: "ask", method: "agent", params: say("hi", "r1") });
  const { payload } = await client.until<{ payload: object }>(
    ({ id, payload }) => id === "ask" && payload.status === "ok",
  );
  const usage = { input: 7, output: 3 };
  expect(payload).toMatchObject({
    result: { meta: { agentMeta: { provider: "stand", model: "in", usage: { ...usage, total: 10 } } } },
  });
  expect(await client.untilEvent("chat", ended)).toMatchObject({ usage: { ...usage, totalTokens: 10 } });
  const { messages, defaults } = await client.request("chat.history", { sessionKey: "s" });
  expect(messages[1]).toMatchObject({ usage: { ...usage, totalTokens: 10 }, __openclaw: { runId: "r1" } });
  expect(defaults).toMatchObject({ modelProvider: "stand", model: "in" });
});

test("an agent's own tools are told of with what they were asked, and what they found", async () => {
  const provider = await startProvider(async (exchange, index) => {
    if (index > 0) {
      await exchange.open().say("Both done.");
      return exchange.finish();
    }
    await exchange.open().say("One moment.");
    for (const [at, name] of ["good", "bad"].entries()) {
      const call = { index: at, id: `call_${name}`, type: "function", function: { name, arguments: '{"of":"x"}' } };
      await exchange.event(chunk({ tool_calls: [call] }));
    }
    exchange.finish("tool_calls");
  });
  const schema = z.object({ of: z.string() });
  const good = { description: "works", schema, run: ({ of }: { of: string }) => `found ${of}` };
  const bad = { description: "fails", schema, run: () => Promise.reject(new Error("broken")) };
  const agent = defineAgent({ id: "main", model: "stand/in", tools: { good, bad } });
  const models = { providers: { stand: { baseUrl: provider.baseUrl, apiKey: "sk-x" } } };
  const { url } = await startGateway({ agents: [agent], config: { models } });
  const client = await connectWatched(url, { token: TOKEN, caps: ["tool-events"] });
  await client.request("chat.send", say("hi", "r1"));
  const end = await client.untilEvent("chat", ended);
  expect(end).toMatchObject({ state: "final", message: { content: [{ text: "One moment.\n\nBoth done." }] } });
  const tools = client.payloads("agent").filter(({ stream }) => stream === "tool");
  const told = (name: string) => tools.map(({ data }) => data).filter((data) => data.name === name);
  expect(told("good")).toEqual([
    { phase: "start", name: "good", toolCallId: "call_good", args: { of: "x" } },
    {
      ...{ phase: "result", name: "good", toolCallId: "call_good", isError: false },
      result: { content: [{ type: "text", text: "found x" }] },
    },
  ]);
  expect(told("bad")).toMatchObject([{ phase: "start" }, { phase: "result", isError: true }]);
});

test("a provider's failure is told in the words that HTTP has for it, and none of its secrets", async () => {
  const { url } = await startWithProvider({
    script: (exchange) => exchange.answer(401, { error: { message: "bad key sk-stand-in-0123456789" } }),
  });
  const client = await connectWatched(url, { token: TOKEN });
  await client.request("chat.send", say("hi", "r1"));
  expect(await client.untilEvent("chat", ended)).toMatchObject({ state: "error", errorKind: "unknown" });
  expect(JSON.stringify(client.frames)).not.toContain("sk-stand-in");
});
