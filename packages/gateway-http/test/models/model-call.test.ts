import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { createConnections } from "../../src/models/connections.ts";
import type { ModelCallSummary } from "../../src/models/model-call.ts";
import { createModels } from "../../src/models/models.ts";
import { chunk, completion, type Script, startProvider } from "../support/stand-in-provider.ts";

const USAGE = { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 };

/** What is told of one call, and how many times. `read` reads from the answer. */
async function toldOf(
  script: Script,
  read: (answer: AsyncIterator<unknown>, controller: AbortController) => Promise<unknown>,
  stream = true,
) {
  const { baseUrl } = await startProvider(script);
  const { config } = parseConfig({ models: { providers: { stand: { baseUrl } } } });
  const told: ModelCallSummary[] = [];
  const connections = createConnections();
  const models = createModels({
    config,
    variables: {},
    connections,
    redact: String,
    onCall: (call) => told.push(call),
  });
  const controller = new AbortController();
  const request = { messages: [{ role: "user" as const, content: "hi" }], params: {}, stream };
  const answer = models.get("stand/in")(request, { signal: controller.signal })[Symbol.asyncIterator]();
  await read(answer, controller).catch(() => {});
  await connections.close();
  return told;
}

async function readAll(answer: AsyncIterator<unknown>) {
  for (let next = await answer.next(); !next.done; next = await answer.next());
}

const about = { provider: "stand", model: "in", api: "openai-completions", stream: true, ms: expect.any(Number) };

test("a call that came to its end is told with its usage, even to a reader who stops at its last word", async () => {
  const script: Script = async (exchange) => {
    exchange.open();
    await exchange.say("a");
    exchange.finish("stop", USAGE);
  };
  const ended = { ...about, usage: USAGE, finishReason: "stop", origin: { id: "chatcmpl-provider", model: "in" } };
  expect(await toldOf(script, readAll)).toEqual([ended]);
  const stopsAtTheEnd = async (answer: AsyncIterator<unknown>) => {
    while (!JSON.stringify(await answer.next()).includes('"end"'));
    await answer.return?.();
  };
  expect(await toldOf(script, stopsAtTheEnd)).toEqual([ended]);
});

test("one that is not streamed, too", async () => {
  const script: Script = (exchange) => exchange.answer(200, completion("a", { usage: USAGE }));
  expect(await toldOf(script, readAll, false)).toEqual([
    { ...about, stream: false, usage: USAGE, finishReason: "stop", origin: {} },
  ]);
});

test("one that failed is told with its code", async () => {
  const script: Script = (exchange) => exchange.answer(401, { error: { message: "no" } });
  expect(await toldOf(script, readAll)).toEqual([{ ...about, code: "provider_auth" }]);
});

test("one that nobody read on is abandoned", async () => {
  const script: Script = async (exchange) => {
    exchange.open();
    await exchange.event(chunk({ content: "a" }));
  };
  const readOne = async (answer: AsyncIterator<unknown>) => {
    await answer.next();
    await answer.return?.();
  };
  expect(await toldOf(script, readOne)).toEqual([{ ...about, code: "abandoned" }]);
});
