import { SpanKind, trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { answers, fails, startChain } from "../fallbacks/chain.ts";
import { agentOf, stepper } from "../support/agents.ts";
import { ask, askStream, hi, openRaw } from "../support/chat.ts";
import { PROVIDER_KEY, startWithProvider } from "../support/provider-gateway.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";
import { FROM_CALLER, failureOf, identify, readParent, startTracing, TRACE_ID } from "./tracing.ts";

const USAGE = {
  prompt_tokens: 10,
  completion_tokens: 5,
  total_tokens: 15,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};
const USAGE_ATTRIBUTES = {
  "gen_ai.usage.input_tokens": 10,
  "gen_ai.usage.output_tokens": 5,
  "gen_ai.usage.cache_read.input_tokens": 4,
  "gen_ai.usage.reasoning.output_tokens": 2,
};

test("a streamed run and its call of the provider are spans of the caller's trace, and the provider hears of it", async () => {
  const tracing = startTracing();
  const door = await startWithProvider({
    script: async (exchange) => {
      exchange.open();
      await exchange.say("a secret ");
      await exchange.say("answer");
      exchange.finish("stop", USAGE);
    },
    agent: { name: "Main one" },
  });
  const { text, response } = await askStream(door, hi(), { ...FROM_CALLER, baggage: "user=jane" });
  expect(text).toBe("a secret answer");
  await tracing.ended(2);
  expect(tracing.tree()).toEqual([["invoke_agent main", "chat in"]]);
  const run = tracing.span("invoke_agent main");
  const chat = tracing.span("chat in");
  expect([run.kind, chat.kind]).toEqual([SpanKind.INTERNAL, SpanKind.CLIENT]);
  expect([run, chat].map(failureOf)).toEqual([undefined, undefined]);
  expect(run.spanContext().traceId).toBe(TRACE_ID);
  expect(run.parentSpanContext).toMatchObject({ ...readParent(FROM_CALLER.traceparent), isRemote: true });
  expect(run.attributes).toEqual({
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.provider.name": "openclaw",
    "gen_ai.agent.id": "main",
    "gen_ai.agent.name": "Main one",
    "gen_ai.request.model": "in",
    "gen_ai.request.stream": true,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.response.time_to_first_chunk": expect.any(Number),
    "openclaw.run.id": response.headers.get("x-openclaw-run-id"),
    ...USAGE_ATTRIBUTES,
  });
  expect(chat.attributes).toEqual({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "stand",
    "gen_ai.request.model": "in",
    "gen_ai.request.stream": true,
    "server.address": "127.0.0.1",
    "server.port": Number(new URL(door.provider.baseUrl).port),
    "gen_ai.response.id": "chatcmpl-provider",
    "gen_ai.response.model": "in",
    "gen_ai.response.finish_reasons": ["stop"],
    ...USAGE_ATTRIBUTES,
  });
  const { headers } = door.provider.exchanges[0] as (typeof door.provider.exchanges)[number];
  expect(readParent(headers.traceparent)).toEqual(identify(chat));
  expect([headers.tracestate, headers.baggage]).toEqual(["vendor=1", undefined]);
});

test("without a caller's trace a run begins one; what is not streamed says so", async () => {
  const tracing = startTracing();
  const door = await startWithProvider({
    script: (exchange) =>
      exchange.answer(200, {
        id: "r1",
        model: "in-0613",
        choices: [{ message: { content: "{}" }, finish_reason: "length" }],
      }),
  });
  await ask(door, hi({ response_format: { type: "json_object" } }));
  await tracing.ended(2);
  const run = tracing.span("invoke_agent main");
  expect(run.parentSpanContext).toBeUndefined();
  expect(run.attributes).toMatchObject({ "gen_ai.request.stream": false, "gen_ai.output.type": "json" });
  expect(run.attributes).not.toHaveProperty("gen_ai.response.time_to_first_chunk");
  expect(tracing.span("chat in").attributes).toMatchObject({
    "gen_ai.response.id": "r1",
    "gen_ai.response.model": "in-0613",
    "gen_ai.response.finish_reasons": ["length"],
  });
});

test("turns of one session have one conversation, of others another; nothing that was said is in a span", async () => {
  const tracing = startTracing();
  const door = await startWithProvider({
    script: (exchange) => {
      exchange.open();
      void exchange.say("a very private answer");
      exchange.finish();
    },
    agent: { instructions: "confidential instructions" },
  });
  const said = { messages: [{ role: "user", content: "a personal question" }] };
  await askStream(door, hi({ ...said, user: "jane@example.com" }));
  await ask(door, hi({ ...said, user: "jane@example.com" }), { "idempotency-key": "key-of-jane" });
  await ask(door, hi({ ...said, user: "joe@example.com" }));
  await ask(door, hi(said));
  await tracing.ended(8);
  expect(tracing.spans).toHaveLength(8);
  const runs = tracing.spans.filter(({ name }) => name === "invoke_agent main");
  const conversations = runs.map(({ attributes }) => attributes["gen_ai.conversation.id"]);
  expect(conversations[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(conversations[1]).toBe(conversations[0]);
  expect(conversations[2]).toMatch(/^[0-9a-f]{64}$/);
  expect(conversations[2]).not.toBe(conversations[0]);
  expect(conversations[3]).toBeUndefined();
  const all = JSON.stringify(
    tracing.spans.map(({ name, attributes, events, status }) => [name, attributes, events, status]),
  );
  for (const secret of [/private/, /personal/, /confidential/, /jane|joe/, new RegExp(`${TOKEN}|${PROVIDER_KEY}`)]) {
    expect(all).not.toMatch(secret);
  }
});

test("a run under a key has one span, however often its answer is said", async () => {
  const tracing = startTracing();
  const door = await startWithProvider({
    script: (exchange) => {
      exchange.open();
      void exchange.say("once");
      exchange.finish();
    },
  });
  const headers = { ...FROM_CALLER, "idempotency-key": "k" };
  expect((await askStream(door, hi(), headers)).text).toBe("once");
  expect((await askStream(door, hi(), headers)).text).toBe("once");
  await tracing.ended(2);
  expect(tracing.tree()).toEqual([["invoke_agent main", "chat in"]]);
  expect(tracing.span("invoke_agent main").spanContext().traceId).toBe(TRACE_ID);
});

test("every model that is asked has a span, those that failed too", async () => {
  const tracing = startTracing();
  const door = await startChain({ says: [fails(401, "bad key sk-1"), answers("from b")] });
  expect((await askStream(door)).text).toBe("from b");
  await tracing.ended(3);
  expect(tracing.tree()).toEqual([["invoke_agent main", "chat x", "chat x"]]);
  const [run, first, second] = tracing.spans;
  expect([run, first, second].map((span) => span && failureOf(span))).toEqual([undefined, "provider_auth", undefined]);
  expect([first, second].map((span) => span?.attributes["gen_ai.provider.name"])).toEqual(["a", "b"]);
  expect(run?.attributes).toMatchObject({ "gen_ai.request.model": "x", "openclaw.model.fallback": true });
  expect(first?.status.message).toBeUndefined();
});

test.each([
  [500, "provider_error"],
  [429, "provider_rate_limited"],
])("a provider's %i is the error of its call and of the run", async (status, code) => {
  const tracing = startTracing();
  const door = await startWithProvider({ script: (exchange) => exchange.answer(status, { error: { message: "no" } }) });
  await ask(door);
  await tracing.ended(2);
  expect(tracing.spans.map(failureOf)).toEqual([code, code]);
});

test("a client that leaves ends both spans, once", async () => {
  const tracing = startTracing();
  const door = await startWithProvider();
  const client = openRaw(door, hi({ stream: true }));
  const exchange = (await door.provider.next()).open();
  await exchange.say("a");
  await client.response;
  client.kill();
  await exchange.closed;
  await tracing.ended(2);
  await door.gateway.close({ drainTimeoutMs: 0 });
  expect(tracing.tree()).toEqual([["invoke_agent main", "chat in"]]);
  expect(tracing.spans.map(failureOf)).toEqual(["run_aborted", "run_aborted"]);
});

test("a run that drains away ends its span, though its agent never does", async () => {
  const tracing = startTracing();
  const begun = Promise.withResolvers<void>();
  const agent = agentOf(async function* () {
    begun.resolve();
    await new Promise(() => {});
    yield "never";
  });
  const { gateway, ...door } = await startGateway({ agents: [agent] });
  const client = openRaw(door, hi({ stream: true }));
  await begun.promise;
  await gateway.close({ drainTimeoutMs: 0 });
  client.kill();
  await tracing.ended(1);
  expect(tracing.spans.map(failureOf)).toEqual(["gateway_draining"]);
});

test("what an agent of one's own does is in its run, whenever it is pulled", async () => {
  const tracing = startTracing();
  const tracer = trace.getTracer("mine");
  const { agent, say, end } = stepper();
  const traced = agentOf(async function* (turn, signal) {
    tracer.startSpan("before").end();
    for await (const output of agent.run(turn, { signal })) {
      tracer.startSpan(`at ${output}`).end();
      yield output;
    }
    await Promise.resolve();
    tracer.startSpan("after").end();
  });
  const door = await startGateway({ agents: [traced] });
  const answer = askStream(door);
  // Two runs at a time, and what each is told comes from outside of both.
  const other = ask(
    await startGateway({
      agents: [
        agentOf(async function* () {
          tracer.startSpan("other").end();
          yield "b";
        }),
      ],
    }),
  );
  await other;
  say("one");
  say("two");
  end();
  expect((await answer).text).toBe("onetwo");
  await tracing.ended(7);
  expect(tracing.tree()).toHaveLength(2);
  expect(tracing.tree()).toEqual(
    expect.arrayContaining([
      ["invoke_agent main", "before", "at one", "at two", "after"],
      ["invoke_agent main", "other"],
    ]),
  );
});

test("an embedder's run is in the span that is active when it starts it", async () => {
  const tracing = startTracing();
  const { gateway } = await startGateway({
    agents: [
      agentOf(async function* () {
        yield "a";
      }),
    ],
  });
  await trace.getTracer("mine").startActiveSpan("request", async (span) => {
    const turn = { messages: [{ role: "user" as const, content: "hi" }], instructions: [], params: {}, stream: false };
    const session = { owner: "operator", key: "k", stateless: true };
    await gateway.runs.start({ agent: gateway.defaultAgent, turn, session }).result;
    span.end();
  });
  await tracing.ended(2);
  expect(tracing.tree()).toEqual([["request", "invoke_agent main"]]);
});

test("an SDK that comes when the gateway runs already is used from then on", async () => {
  const door = await startGateway({
    agents: [
      agentOf(async function* () {
        yield "a";
      }),
    ],
  });
  await ask(door);
  const tracing = startTracing();
  await ask(door);
  await tracing.ended(1);
  expect(tracing.tree()).toEqual(["invoke_agent main"]);
});
