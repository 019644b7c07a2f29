import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGateway, defineAgent, GatewayError } from "@openclaw/gateway-http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient } from "../src/index.ts";
import { failureOf, TOKEN } from "./support/client.ts";

const begun: { sessionKey: string; ended: Promise<void> }[] = [];

const main = defineAgent({
  id: "main",
  exposeReasoning: "reasoning_content",
  async *run({ messages }) {
    yield { type: "reasoning-delta", text: "hm" };
    yield* ["You ", "said: ", JSON.stringify(messages.at(-1)?.content)];
    const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
    yield { type: "usage", usage };
  },
});
const caller = defineAgent({
  id: "caller",
  async *run() {
    yield { type: "tool-call-start", index: 0, id: "call_1", name: "weather" };
    yield { type: "tool-call-delta", index: 0, arguments: '{"city":' };
    yield { type: "tool-call-delta", index: 0, arguments: '"Zürich"}' };
    yield { type: "end", finishReason: "tool_calls" };
  },
});
const endless = defineAgent({
  id: "endless",
  async *run({ sessionKey }, { signal }) {
    const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    begun.push({ sessionKey, ended });
    yield "and so on";
    await ended;
  },
});
const failing = defineAgent({
  id: "failing",
  async *run({ messages }) {
    if (JSON.stringify(messages).includes("late")) yield "half";
    throw new GatewayError("context_length_exceeded", "Too long.");
  },
});

let client: Client;
let url: string;
let close: () => Promise<void>;

beforeAll(async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "openclaw-client-"));
  const gateway = createGateway({
    config: {
      logging: { level: "silent" },
      gateway: {
        port: 0,
        auth: { mode: "token", token: TOKEN },
        http: { endpoints: { chatCompletions: { enabled: true } } },
      },
    },
    agents: [main, caller, endless, failing],
  });
  ({ url } = await gateway.listen());
  client = createClient({ baseUrl: url, token: TOKEN, maxRetries: 0 });
  close = async () => {
    await gateway.close({ drainTimeoutMs: 0 });
    await rm(stateDir, { recursive: true, force: true });
  };
});
afterAll(() => close());

const say = (content: string) => [{ role: "user" as const, content }];

test("an answer", async () => {
  const completion = await client.chat.completions.create({ model: "openclaw:main", messages: say("hi") });
  expect(completion).toMatchObject({
    object: "chat.completion",
    model: "openclaw:main",
    choices: [{ message: { role: "assistant", content: 'You said: "hi"', reasoning_content: "hm" } }],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  });
});

test.each(["openclaw:main", "openclaw:caller"])(
  "a streamed answer of %s is the one that is not streamed",
  async (model) => {
    const params = { model, messages: say("Zürich 🦞") };
    const whole = await client.chat.completions.create(params);
    const stream = await client.chat.completions.create({
      ...params,
      stream: true,
      stream_options: { include_usage: true },
    });
    const { id } = await stream.final();
    expect(id).toBe(stream.runId);
    expect(await stream.final()).toEqual({ ...whole, id, created: expect.any(Number) });
  },
);

test("the loop of the README", async () => {
  const stream = await client.chat.completions.create({ messages: say("hi"), stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).toBe('You said: "hi"');
  expect((await stream.final()).choices[0]?.finish_reason).toBe("stop");
});

test("a session's key goes there and comes back whatever it holds", async () => {
  const sessionKey = "agent:main:Zürich 🦞/100%";
  const stream = await client.chat.completions.create({ messages: say("hi"), stream: true }, { sessionKey });
  await stream.text();
  expect(stream.sessionKey).toBe(sessionKey);
  expect(stream.requestId).toEqual(expect.any(String));
});

test("the agent of the options beats the model", async () => {
  const params = { model: "openclaw:main", messages: say("hi") };
  const { choices } = await client.chat.completions.create(params, { agentId: "caller" });
  expect(choices[0]?.message.tool_calls).toEqual([
    { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Zürich"}' } },
  ]);
});

test("models", async () => {
  const { data } = await client.models.list();
  expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(["openclaw", "openclaw/main", "openclaw/caller"]));
  expect(await client.models.retrieve("openclaw/caller")).toMatchObject({ id: "openclaw/caller", object: "model" });
});

test.each([true, false])("errors come as the table has them (stream: %j)", async (stream) => {
  const ask = (model: string, text = "hi", to = client) =>
    failureOf(
      to.chat.completions
        .create({ model, messages: say(text), stream })
        .then((answer) => ("final" in answer ? (answer as { final(): Promise<unknown> }).final() : answer)),
    );
  const stranger = createClient({ baseUrl: url, token: "wrong-token-0123456789", maxRetries: 0 });
  expect(await ask("openclaw:main", "hi", stranger)).toMatchObject({
    status: 401,
    code: "invalid_api_key",
    type: "authentication_error",
    requestId: expect.any(String),
  });
  expect(await ask("openclaw:nobody")).toMatchObject({ status: 404, code: "model_not_found" });
  expect(await ask("openclaw:failing")).toMatchObject({ status: 400, code: "context_length_exceeded" });
  expect(await ask("openclaw:failing", "late")).toMatchObject({
    status: 400,
    code: "context_length_exceeded",
    message: "Too long.",
    ...(stream && { partial: { choices: [{ message: { content: "half" } }] } }),
  });
});

test("a model that is not there is a 404", async () => {
  expect(await failureOf(client.models.retrieve("openclaw/nobody"))).toMatchObject({ status: 404 });
});

test("leaving the loop, abort() and the signal each end the run", async () => {
  const controller = new AbortController();
  const open = async () => {
    const options = { agentId: "endless", signal: controller.signal };
    return client.chat.completions.create({ messages: say("go"), stream: true }, options);
  };
  for await (const chunk of await open()) if (chunk.choices[0]?.delta.content) break;
  await begun[0]?.ended;

  const second = await open();
  second.abort();
  await begun[1]?.ended;

  const third = failureOf((await open()).text());
  controller.abort();
  expect(await third).toMatchObject({ name: "AbortError" });
  await begun[2]?.ended;
  expect(begun).toHaveLength(3);
});

test("an abort before the answer ends the run", async () => {
  const before = begun.length;
  const controller = new AbortController();
  const options = { agentId: "endless", signal: controller.signal };
  const failure = failureOf(client.chat.completions.create({ messages: say("go") }, options));
  await expect.poll(() => begun.length).toBe(before + 1);
  controller.abort();
  expect(await failure).toMatchObject({ name: "AbortError" });
  await begun[before]?.ended;
});
