import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGateway, defineAgent, GatewayError } from "@openclaw/gateway-http";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Client, type ClientOptions, createClient } from "../src/index.ts";
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
const busy = defineAgent({
  id: "busy",
  exposeReasoning: "reasoning_content",
  async *run() {
    yield { type: "reasoning-delta", text: "I have to look." };
    yield { type: "tool-start", id: "call_1", name: "search" };
    yield { type: "tool-end", id: "call_1", ok: true };
    yield "Found.";
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
let slowRuns = 0;
const slow = defineAgent({
  id: "slow",
  async *run() {
    slowRuns += 1;
    for (const word of ["one ", "two ", "three ", "four "]) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield word;
    }
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
  vi.stubEnv("OPENCLAW_STATE_DIR", stateDir);
  const gateway = createGateway({
    config: {
      logging: { level: "silent" },
      gateway: {
        port: 0,
        auth: { mode: "token", token: TOKEN },
        http: { endpoints: { chatCompletions: { enabled: true } } },
      },
    },
    agents: [main, caller, busy, endless, slow, failing],
  });
  ({ url } = await gateway.listen());
  client = createClient({ baseUrl: url, token: TOKEN, maxRetries: 0 });
  close = async () => {
    await gateway.close({ drainTimeoutMs: 0 });
    vi.unstubAllEnvs();
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

test("what the agent does comes in its place, and only to whom it is asked for", async () => {
  const params = { model: "openclaw:busy", messages: say("hi"), stream: true as const };
  const read = async (activity: boolean) => {
    const seen: unknown[] = [];
    for await (const { openclaw, choices } of await client.chat.completions.create(params, { activity })) {
      const { content, reasoning_content } = choices[0]?.delta ?? {};
      seen.push(...[openclaw, reasoning_content, content].filter(Boolean));
    }
    return seen;
  };
  const doing = [
    { type: "tool-start", id: "call_1", name: "search" },
    { type: "tool-end", id: "call_1", ok: true },
  ];
  expect(await read(true)).toEqual(["I have to look.", ...doing, "Found."]);
  expect(await read(false)).toEqual(["I have to look.", "Found."]);
});

test("a stream with what the agent does goes on after a cut, each thing once", async () => {
  const params = { model: "openclaw:busy", messages: say("hi"), stream: true as const };
  for (const length of [1, 500, 700, 900]) {
    const cut = createClient({ baseUrl: url, token: TOKEN, fetch: cutAfter(length) });
    const stream = await cut.chat.completions.create(params, { activity: true });
    let resumed = 0;
    stream.on("resume", () => resumed++);
    const seen: unknown[] = [];
    for await (const { openclaw } of stream) if (openclaw) seen.push(openclaw.type);
    expect(seen).toEqual(["tool-start", "tool-end"]);
    expect(await stream.text()).toBe("Found.");
    expect(resumed).toBe(1);
  }
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

test("an abort before an answer without key ends the run", async () => {
  const before = begun.length;
  const controller = new AbortController();
  const options = { agentId: "endless", signal: controller.signal, idempotencyKey: false as const };
  const failure = failureOf(client.chat.completions.create({ messages: say("go") }, options));
  await expect.poll(() => begun.length).toBe(before + 1);
  controller.abort();
  expect(await failure).toMatchObject({ name: "AbortError" });
  await begun[before]?.ended;
});

/** Of the first answer, only so many reads. */
function cutFetch(reads: number): NonNullable<ClientOptions["fetch"]> {
  let asked = 0;
  return async (url, init) => {
    const response = await fetch(url, init);
    if (asked++ > 0 || !response.body) return response;
    let left = reads;
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        if (left-- > 0) controller.enqueue(bytes);
        else controller.error(new TypeError("terminated"));
      },
    });
    return new Response(response.body.pipeThrough(cut), response);
  };
}

test("a stream that is cut goes on where it was, and its run is one", async () => {
  const params = { model: "openclaw:slow", messages: say("hi"), stream: true as const };
  for (let reads = 0; reads < 4; reads++) {
    const before = slowRuns;
    const cut = createClient({ baseUrl: url, token: TOKEN, fetch: cutFetch(reads) });
    const stream = await cut.chat.completions.create(params);
    const resumed: number[] = [];
    expect(await stream.on("resume", ({ attempt }) => resumed.push(attempt)).text()).toBe("one two three four ");
    expect(resumed).toEqual([1]);
    expect(slowRuns).toBe(before + 1);
  }
});

/** Of the first answer, only so many bytes. */
function cutAfter(length: number): NonNullable<ClientOptions["fetch"]> {
  let asked = 0;
  return async (url, init) => {
    const response = await fetch(url, init);
    if (asked++ > 0 || !response.body) return response;
    let left = length;
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        controller.enqueue(bytes.subarray(0, left));
        left -= bytes.length;
        if (left <= 0) controller.error(new TypeError("terminated"));
      },
    });
    return new Response(response.body.pipeThrough(cut), response);
  };
}

test("a stream that is cut after any byte is the same in the end", async () => {
  const params = { model: "openclaw:main", messages: say("hi"), stream: true as const };
  const anonymous = (chunk: object) => ({ ...chunk, id: "", created: 0 });
  const read = async (fetch: ClientOptions["fetch"]) => {
    const chunks: object[] = [];
    const one = createClient({ baseUrl: url, token: TOKEN, ...(fetch && { fetch }) });
    for await (const chunk of await one.chat.completions.create(params)) chunks.push(anonymous(chunk));
    return chunks;
  };
  const whole = await read(undefined);
  const raw = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", "idempotency-key": "length" },
    body: JSON.stringify(params),
  });
  const length = Buffer.byteLength(await raw.text());
  const places = Array.from({ length: length - 1 }, (_, at) => at + 1);
  // Each waits half a second before it goes on, so many go at once; not all, or the last have no answer in time.
  while (places.length > 0) {
    const cut = await Promise.all(places.splice(0, 200).map((at) => read(cutAfter(at))));
    for (const chunks of cut) expect(chunks).toEqual(whole);
  }
}, 120_000);

test("the same call under a key of one's own has the same answer", async () => {
  const params = { model: "openclaw:slow", messages: say("hi") };
  const before = slowRuns;
  const options = { idempotencyKey: "order-42" };
  const [first, second] = await Promise.all([
    client.chat.completions.create(params, options),
    client.chat.completions.create(params, options),
  ]);
  expect(second).toEqual(first);
  expect(await client.chat.completions.create(params, options)).toEqual(first);
  expect(slowRuns).toBe(before + 1);
  const other = client.chat.completions.create({ ...params, temperature: 1 }, options);
  expect(await failureOf(other)).toMatchObject({ status: 409, code: "idempotency_key_conflict" });
});

test("sessions", async () => {
  const sessionKey = "agent:main:Rechnung/1 %";
  for (const text of ["one", "two"]) await client.chat.completions.create({ messages: say(text) }, { sessionKey });
  const { sessions } = client;
  expect(await sessions.update(sessionKey, { title: "Invoices" })).toMatchObject({ title: "Invoices" });
  const found = await sessions.list({ agent: "main", search: "invoice", limit: 50 });
  expect(found).toMatchObject({ data: [{ object: "session", id: sessionKey, active_run: null }], has_more: false });
  const { data: messages } = await sessions.messages(sessionKey);
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
  const [question, answer] = messages.map(({ id }) => id) as [string, string];
  const rest = await sessions.messages(sessionKey, { after: question, limit: 1 });
  expect(rest).toMatchObject({ data: [{ id: answer }], has_more: true });

  const copy = await sessions.fork(sessionKey, { at: answer, key: "agent:main:copy" });
  expect(copy).toMatchObject({ object: "session", id: "agent:main:copy", head: answer });
  expect(await sessions.setHead(sessionKey, answer)).toMatchObject({ id: sessionKey, head: answer });
  expect((await sessions.branches(sessionKey)).data).toMatchObject([{ object: "session.branch" }]);
  expect(await sessions.abort(sessionKey)).toEqual({ aborted: null });
  expect(await sessions.delete(sessionKey)).toMatchObject({ id: sessionKey, deleted: true });
  expect(await failureOf(sessions.retrieve(sessionKey))).toMatchObject({ status: 404, code: "not_found" });
});

test("stored completions", async () => {
  const { completions } = client.chat;
  const params = { messages: say("keep this"), store: true, metadata: { topic: "odd & even" } };
  const { id, choices } = await completions.create(params);
  await completions.create({ ...params, metadata: { topic: "other" } });
  const { data } = await completions.list({ metadata: { topic: "odd & even" }, order: "desc" });
  expect(data).toMatchObject([{ id, choices: [{ message: { content: choices[0]?.message.content } }] }]);
  expect((await completions.messages(id)).data).toMatchObject([{ role: "user", content: "keep this" }]);
  expect(await completions.update(id, { metadata: { topic: "done" } })).toMatchObject({ metadata: { topic: "done" } });
  expect(await completions.retrieve(id)).toMatchObject({ id, metadata: { topic: "done" } });
  expect(await completions.delete(id)).toMatchObject({ id, deleted: true });
  expect(await failureOf(completions.retrieve(id))).toMatchObject({ status: 404, code: "not_found" });
});
