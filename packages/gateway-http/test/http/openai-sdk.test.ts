import OpenAI from "openai";
import { ChatCompletionStream } from "openai/lib/ChatCompletionStream";
import { expect, test } from "vitest";
import { type AgentOutput, GatewayError } from "../../src/index.ts";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { chunk, completion } from "../support/stand-in-provider.ts";
import { type StartOptions, startGateway, TOKEN } from "../support/start-gateway.ts";

const HI = { model: "openclaw:main", messages: [{ role: "user" as const, content: "hi" }] };
const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
const SUM = {
  type: "function" as const,
  function: { name: "sum", parameters: { type: "object", properties: { a: { type: "number" } } } },
};
/** A call of `sum`, its arguments in pieces, then one of `now` without any. */
const CALLS: AgentOutput[] = [
  { type: "tool-call-start", index: 0, id: "call_a", name: "sum" },
  { type: "tool-call-delta", index: 0, arguments: '{"a":' },
  { type: "tool-call-delta", index: 0, arguments: " 4}" },
  { type: "tool-call-start", index: 1, id: "call_b", name: "now" },
];

async function start(options: StartOptions, more: ConstructorParameters<typeof OpenAI>[0] = {}) {
  const gateway = await startGateway(options);
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: TOKEN, maxRetries: 0, ...more });
  return { ...gateway, client };
}

async function caught(promise: PromiseLike<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await promise.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(OpenAI.APIError);
  return error;
}

/** An agent that fails with the first of `errors` on its first run, and so on, then answers; `runs` counts. */
function failing(...errors: Error[]) {
  let runs = 0;
  const agent = agentOf(async function* () {
    const error = errors[runs++];
    if (error) throw error;
    yield "at last";
  });
  return { agent, runs: () => runs };
}

test("a completion has its text, model, finish reason, usage and request id", async () => {
  const { client } = await start({ agents: [sayer("Hello", " you", { type: "usage", usage: USAGE })] });
  const answer = await client.chat.completions.create(HI, { headers: { "x-request-id": "mine-1" } });
  expect(answer).toMatchObject({ object: "chat.completion", model: "openclaw:main", usage: USAGE });
  expect(answer.choices).toMatchObject([
    { index: 0, message: { role: "assistant", content: "Hello you", refusal: null }, finish_reason: "stop" },
  ]);
  expect(answer._request_id).toBe("mine-1");
});

test("iterating a stream gives the same text, one finish reason and one id", async () => {
  const { client } = await start({ agents: [sayer("Hel", "lo\n\ndata: x\u2028\r", "😀")] });
  const chunks = [];
  for await (const item of await client.chat.completions.create({ ...HI, stream: true })) chunks.push(item);
  expect(chunks.map((item) => item.choices[0]?.delta.content ?? "").join("")).toBe("Hello\n\ndata: x\u2028\r😀");
  expect(chunks.map((item) => item.choices[0]?.finish_reason).filter(Boolean)).toEqual(["stop"]);
  expect(new Set(chunks.map((item) => item.id)).size).toBe(1);
  expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "" });
});

test("include_usage adds one last chunk with the usage, and null on every other", async () => {
  const { client } = await start({ agents: [sayer("a", { type: "usage", usage: USAGE })] });
  const options = { ...HI, stream: true as const, stream_options: { include_usage: true } };
  const usages = [];
  for await (const item of await client.chat.completions.create(options)) usages.push(item.usage);
  expect(usages.pop()).toMatchObject(USAGE);
  expect(usages.length).toBeGreaterThan(1);
  expect(new Set(usages)).toEqual(new Set([null]));
});

test("the stream helper puts the final completion together", async () => {
  const { client } = await start({ agents: [sayer("one ", "two", { type: "usage", usage: USAGE })] });
  const stream = client.chat.completions.stream({ ...HI, stream_options: { include_usage: true } });
  const deltas: string[] = [];
  stream.on("content", (delta) => deltas.push(delta));
  const final = await stream.finalChatCompletion();
  expect(final.choices[0]?.message.content).toBe("one two");
  expect(final.usage).toMatchObject(USAGE);
  expect(deltas).toEqual(["one ", "two"]);
});

test("a stream survives toReadableStream and back", async () => {
  const { client } = await start({ agents: [sayer("one ", "two")] });
  const stream = await client.chat.completions.create({ ...HI, stream: true });
  const copy = ChatCompletionStream.fromReadableStream(stream.toReadableStream());
  expect((await copy.finalChatCompletion()).choices[0]?.message.content).toBe("one two");
});

test("tool calls keep their ids and gather their arguments, streamed and not", async () => {
  const { client } = await start({ agents: [sayer(...CALLS)] });
  const request = { ...HI, tools: [SUM] };
  const whole = await client.chat.completions.create(request);
  const streamed = await client.chat.completions.stream(request).finalChatCompletion();
  for (const { choices } of [whole, streamed]) {
    expect(choices[0]?.finish_reason).toBe("tool_calls");
    expect(choices[0]?.message.tool_calls).toMatchObject([
      { id: "call_a", type: "function", function: { name: "sum", arguments: '{"a": 4}' } },
      { id: "call_b", type: "function", function: { name: "now", arguments: "" } },
    ]);
  }
  expect(whole.choices[0]?.message.content).toBeNull();
});

test("runTools runs the client's tool and sends its result back to the agent", async () => {
  const agent = agentOf(async function* ({ messages }) {
    const last = messages.at(-1);
    if (last?.role === "tool") yield `the sum is ${last.content}`;
    else yield* CALLS.slice(0, 3);
  });
  const { client } = await start({ agents: [agent] });
  const add = ({ a }: { a: number }) => String(a + 1);
  const parse = (text: string): { a: number } => JSON.parse(text);
  const runner = client.chat.completions.runTools({
    ...HI,
    stream: true,
    tools: [{ type: "function", function: { ...SUM.function, description: "adds one", parse, function: add } }],
  });
  expect(await runner.finalContent()).toBe("the sum is 5");
});

test("a provider's tool calls arrive piece by piece as it wrote them", async () => {
  const { url, provider } = await startWithProvider({
    async script(exchange) {
      exchange.open();
      const call = (index: number, more: object) => exchange.event(chunk({ tool_calls: [{ index, ...more }] }));
      await call(0, { id: "call_p", type: "function", function: { name: "sum", arguments: "" } });
      await call(0, { function: { arguments: '{"a"' } });
      await call(0, { function: { arguments: ":1}" } });
      exchange.finish("tool_calls", USAGE);
    },
  });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: TOKEN });
  const stream = client.chat.completions.stream({ ...HI, tools: [SUM] });
  const pieces: string[] = [];
  stream.on("tool_calls.function.arguments.delta", ({ arguments_delta }) => pieces.push(arguments_delta));
  expect((await stream.finalMessage()).tool_calls).toMatchObject([
    { id: "call_p", function: { arguments: '{"a":1}' } },
  ]);
  expect(pieces.filter(Boolean)).toEqual(['{"a"', ":1}"]);
  expect(provider.exchanges[0]?.json.tools).toEqual([SUM]);
});

test("aborting a stream aborts the agent", async () => {
  const { agent, say, aborted } = stepper();
  const { client, gateway } = await start({ agents: [agent] });
  say("first");
  const stream = await client.chat.completions.create({ ...HI, stream: true });
  for await (const item of stream) if (item.choices[0]?.delta.content === "first") stream.controller.abort();
  expect(await aborted).toMatchObject({ code: "run_aborted" });
  await expect.poll(() => gateway.runs.active).toBe(0);
});

test("leaving the loop over a stream closes the provider's connection", async () => {
  const { url, provider } = await startWithProvider();
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: TOKEN });
  const asked = client.chat.completions.create({ ...HI, stream: true });
  const exchange = await provider.next();
  await exchange.open().say("first");
  for await (const item of await asked) if (item.choices[0]?.delta.content === "first") break;
  expect(await exchange.closed).toEqual({ early: true });
});

test("a wrong key is an AuthenticationError", async () => {
  const { client } = await start({ agents: [sayer("x")] }, { apiKey: "wrong" });
  const error = await caught(client.chat.completions.create(HI));
  expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
  expect(error).toMatchObject({ status: 401, code: "invalid_api_key", type: "authentication_error", param: null });
  expect(error.requestID).toMatch(/^req_[0-9a-f]{32}$/);
});

test("an unknown model is a NotFoundError that names the parameter", async () => {
  const { client } = await start({ agents: [sayer("x")] });
  const error = await caught(client.chat.completions.create({ ...HI, model: "gpt-nope" }));
  expect(error).toBeInstanceOf(OpenAI.NotFoundError);
  expect(error).toMatchObject({ code: "model_not_found", param: "model", type: "invalid_request_error" });
  expect(error.message).toContain("gpt-nope");
});

test("a value out of range is a BadRequestError that names the parameter", async () => {
  const { client } = await start({ agents: [sayer("x")] });
  const error = await caught(client.chat.completions.create({ ...HI, temperature: 9 }));
  expect(error).toBeInstanceOf(OpenAI.BadRequestError);
  expect(error).toMatchObject({ code: "invalid_value", param: "temperature" });
});

test("a provider's rate limit is a RateLimitError, streamed too, and passes its retry-after on", async () => {
  const { url } = await startWithProvider({
    script: (exchange) => exchange.answer(429, { error: { message: "slow down" } }, { "retry-after": "9" }),
  });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: TOKEN, maxRetries: 0 });
  for (const stream of [false, true]) {
    const error = await caught(client.chat.completions.create({ ...HI, stream }));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ status: 429, code: "provider_rate_limited", type: "rate_limit_error" });
    expect(error.headers?.get("retry-after")).toBe("9");
  }
});

test("an agent's bug is an InternalServerError without its words, and is not retried", async () => {
  const { agent, runs } = failing(new Error("the database password is hunter2"));
  const { client } = await start({ agents: [agent] }, { maxRetries: 2 });
  const error = await caught(client.chat.completions.create(HI));
  expect(error).toBeInstanceOf(OpenAI.InternalServerError);
  expect(error).toMatchObject({ status: 500, code: "internal_error" });
  expect(error.message).not.toContain("hunter2");
  expect(runs()).toBe(1);
});

test("a failure in mid-stream is thrown as an APIError with our code, after the text so far", async () => {
  const agent = agentOf(async function* () {
    yield "so far";
    throw new GatewayError("provider_bad_response", "The provider went away.");
  });
  const { client } = await start({ agents: [agent] });
  let text = "";
  const error = await caught(
    (async () => {
      for await (const item of await client.chat.completions.create({ ...HI, stream: true })) {
        text += item.choices[0]?.delta.content ?? "";
      }
    })(),
  );
  expect(text).toBe("so far");
  expect(error).toMatchObject({ code: "provider_bad_response", type: "api_error", message: "The provider went away." });
});

test("what is safe to try again is tried again, streamed or not", async () => {
  for (const stream of [false, true]) {
    const overloaded = new GatewayError("provider_overloaded", "busy", { retryAfter: 0 });
    const { agent, runs } = failing(overloaded, overloaded);
    const { client } = await start({ agents: [agent] }, { maxRetries: 2 });
    await client.chat.completions.create({ ...HI, stream });
    expect(runs()).toBe(3);
  }
});

test("a status that SDKs retry by themselves is not retried where that is not safe", async () => {
  const codes = ["run_timeout", "provider_auth", "provider_model_not_found", "run_aborted"] as const;
  for (const code of codes) {
    const { agent, runs } = failing(new GatewayError(code, "no"));
    const { client } = await start({ agents: [agent] }, { maxRetries: 2 });
    expect(await caught(client.chat.completions.create(HI))).toMatchObject({ code });
    expect(runs(), code).toBe(1);
  }
});

test("once a tool has started nothing is retried, whatever the failure", async () => {
  let runs = 0;
  const agent = agentOf(async function* () {
    runs++;
    yield { type: "tool-start", id: "t1", name: "send_mail" } as const;
    throw new GatewayError("provider_overloaded", "busy", { retryAfter: 0 });
  });
  const { client } = await start({ agents: [agent] }, { maxRetries: 2 });
  expect(await caught(client.chat.completions.create(HI))).toMatchObject({ status: 503 });
  expect(runs).toBe(1);
});

test("the SDK's own limit on retries ends them", async () => {
  const error = new GatewayError("provider_rate_limited", "busy", { retryAfter: 0 });
  const { agent, runs } = failing(error, error, error, error);
  const { client } = await start({ agents: [agent] }, { maxRetries: 1 });
  expect(await caught(client.chat.completions.create(HI))).toBeInstanceOf(OpenAI.RateLimitError);
  expect(runs()).toBe(2);
});

test("models can be listed and retrieved, by any name that chat accepts", async () => {
  const { client } = await start({ agents: [sayer("x")] });
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  expect(ids).toEqual(["openclaw", "openclaw/default", "openclaw/main"]);
  for (const id of [...ids, "openclaw:main", "agent:main"]) {
    expect(await client.models.retrieve(id)).toMatchObject({ id, object: "model", owned_by: "openclaw" });
  }
  expect(await caught(client.models.retrieve("openclaw/nobody"))).toMatchObject({ code: "model_not_found" });
});

test("a wrong path is a NotFoundError that says so; a trailing slash is none", async () => {
  const agents = [sayer("x")];
  const { url, client } = await start({ agents });
  const elsewhere = client.withOptions({ baseURL: `${url}/v2` });
  expect(await caught(elsewhere.chat.completions.create(HI))).toMatchObject({ status: 404, code: "unknown_url" });
  const slashed = client.withOptions({ baseURL: `${url}//v1/` });
  expect((await slashed.chat.completions.create(HI)).choices[0]?.message.content).toBe("x");
});

test("user keeps a session, and an answer sent back whole is understood", async () => {
  const { url, provider } = await startWithProvider({
    script: (exchange) => exchange.answer(200, completion("Hello")),
  });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: TOKEN });
  const first = await client.chat.completions.create({ ...HI, user: "ann" });
  const echoed = first.choices[0]?.message as OpenAI.ChatCompletionMessage;
  await client.chat.completions.create({
    ...HI,
    user: "ann",
    messages: [...HI.messages, echoed, { role: "user", content: "and now?" }],
  });
  expect(provider.exchanges[1]?.json.messages).toEqual([
    { role: "user", content: "hi" },
    { role: "assistant", content: "Hello" },
    { role: "user", content: "and now?" },
  ]);
});
