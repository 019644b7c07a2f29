import { expect, test } from "vitest";
import { type Agent, type AgentOutput, defineAgent } from "../../src/index.ts";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import { ask, askStream, hi } from "../support/chat.ts";
import { startGateway } from "../support/start-gateway.ts";

const DETAIL = "SECRET-DETAIL";
const broken = () => new Error(DETAIL);
const throwing = (run: () => AsyncIterable<AgentOutput>) => defineAgent({ id: "main", run });
const iterator = (next: () => unknown) => ({ [Symbol.asyncIterator]: () => ({ next }) }) as AsyncIterable<AgentOutput>;

const EARLY: Record<string, Agent> = {
  "throws in run()": throwing(() => {
    throw broken();
  }),
  "throws in its iterator's making": throwing(
    () =>
      ({
        [Symbol.asyncIterator]() {
          throw broken();
        },
      }) as unknown as AsyncIterable<AgentOutput>,
  ),
  "throws in next()": throwing(() =>
    iterator(() => {
      throw broken();
    }),
  ),
  "rejects at once": throwing(() => iterator(() => Promise.reject(broken()))),
  "rejects with nothing": throwing(() => iterator(() => Promise.reject())),
  "is no iterable": throwing((() => Promise.resolve("hi")) as never),
  "returns nothing": throwing((() => undefined) as never),
  "has a next() that returns nothing": throwing(() => iterator(() => undefined)),
};

for (const [title, agent] of Object.entries(EARLY)) {
  test(`an agent that ${title}: 500 without detail, streamed and not`, async () => {
    const gateway = await startGateway({ agents: [agent] });
    for (const stream of [true, false]) {
      const { response, json } = await ask(gateway, hi({ stream }));
      expect([response.status, json.error.code]).toEqual([500, "internal_error"]);
      expect(response.headers.get("x-should-retry")).toBe("false");
      expect(JSON.stringify(json)).not.toContain(DETAIL);
    }
  });
}

test("an agent that throws in mid-answer: its words, an error frame, [DONE]", async () => {
  const agent = agentOf(async function* () {
    yield "a";
    throw broken();
  });
  const { text, error, raw } = await askStream(await startGateway({ agents: [agent] }));
  expect([text, error?.code]).toEqual(["a", "internal_error"]);
  expect(raw).not.toContain(DETAIL);
});

const delta = (index: unknown) => ({ type: "tool-call-delta", index, arguments: "{}" });
const start = (index: unknown) => ({ type: "tool-call-start", index, id: "c", name: "f" });
const JUNK: unknown[] = [
  null,
  undefined,
  5,
  true,
  Symbol("x"),
  {},
  { type: "nonsense" },
  { type: "run-end", finishReason: "stop" },
  { type: "run-error", error: {} },
  { type: "run-start" },
  { type: "text-delta" },
  { type: "text-delta", text: 5 },
  { type: "text-delta", text: { toJSON: () => "x" } },
  { type: "usage", usage: null },
  { type: "usage", usage: { prompt_tokens: "1", completion_tokens: 1 } },
  { type: "usage", usage: { prompt_tokens: Number.NaN, completion_tokens: 1 } },
  { type: "end", finishReason: "because" },
  { type: "tool-end", id: "t", ok: "yes" },
  start(-1),
  start("0"),
  start(1e9),
  // The first call is number 0, and there is nothing to add to yet.
  start(1),
  delta(0),
  [start(0), start(0)],
  [start(0), delta(1)],
  ["a"],
  [[{ type: "text-delta", text: "x" }]],
  new Uint8Array([1]),
];
for (const junk of JUNK) {
  test(`an agent that yields ${show(junk)}: an error, and its generator is closed`, async () => {
    let closed = false;
    const agent = agentOf(async function* () {
      try {
        yield "a";
        yield junk as AgentOutput;
        yield "b";
      } finally {
        closed = true;
      }
    });
    const gateway = await startGateway({ agents: [agent] });
    const { text, error } = await askStream(gateway);
    expect([text, error?.code]).toEqual(["a", "internal_error"]);
    expect((await ask(gateway)).status).toBe(500);
    expect(closed).toBe(true);
  });
}

function show(value: unknown): string {
  return typeof value === "symbol" ? "a symbol" : (JSON.stringify(value) ?? String(value));
}

test("empty pieces are no harm", async () => {
  const gateway = await startGateway({ agents: [sayer("", [], "a", "", [])] });
  expect((await askStream(gateway)).text).toBe("a");
  expect((await ask(gateway)).text).toBe("a");
});

test("usage without a total has one", async () => {
  const usage = { type: "usage", usage: { prompt_tokens: 1, completion_tokens: 2 } };
  const { json } = await ask(await startGateway({ agents: [sayer(usage, "a")] }));
  expect(json.usage?.total_tokens).toBe(3);
});

test("after its end an agent is not pulled again", async () => {
  let pulled = false;
  const agent = agentOf(async function* () {
    yield [
      { type: "text-delta", text: "a" },
      { type: "end", finishReason: "length" },
    ];
    pulled = true;
    yield "b";
  });
  const { text, finishReason } = await askStream(await startGateway({ agents: [agent] }));
  expect([text, finishReason, pulled]).toEqual(["a", "length", false]);
});

test("an agent that never waits does not hold up the others", async () => {
  const state = { pulls: 0, isServed: false, isOver: false };
  const greedy = agentOf(async function* () {
    // Not for ever: whoever waits for it must see the test fail.
    const until = performance.now() + 10_000;
    for (; !state.isServed && performance.now() < until; state.pulls++) yield "x";
    state.isOver = true;
  });
  const quick = defineAgent({
    id: "quick",
    run: async function* () {
      yield "y";
    },
  });
  const door = await startGateway({ agents: [greedy, quick] });
  const long = ask(door);
  await expect.poll(() => state.pulls, { interval: 1 }).toBeGreaterThan(0);
  await ask(door, hi({ model: "openclaw:quick" }));
  expect(state.isOver, "the other is served first").toBe(false);
  state.isServed = true;
  expect((await long).text).toHaveLength(state.pulls);
});

test("of a stream that never waits nothing is lost", async () => {
  const greedy = agentOf(async function* () {
    for (let pulls = 0; pulls < 100_000; pulls++) yield "x";
  });
  const { chunks, text } = await askStream(await startGateway({ agents: [greedy] }));
  expect([chunks.length, text.length]).toEqual([100_002, 100_000]);
});

for (const stream of [true, false]) {
  test(`a run longer than its agent allows ends with run_timeout, ${stream ? "streamed" : "not streamed"}`, async () => {
    const { agent, say, aborted } = stepper({ timeoutSeconds: 0.1 });
    const gateway = await startGateway({ agents: [agent] });
    say("a");
    if (stream) expect((await askStream(gateway)).error?.code).toBe("run_timeout");
    else expect(await ask(gateway)).toMatchObject({ status: 504, json: { error: { code: "run_timeout" } } });
    expect(await aborted).toMatchObject({ code: "run_timeout", retry: false });
  });
}

test("an agent that never says anything and does not listen is given up on all the same", async () => {
  const deaf = agentOf(() => iterator(() => new Promise(() => {})), { timeoutSeconds: 0.1 });
  expect(await ask(await startGateway({ agents: [deaf] }), hi({ stream: true }))).toMatchObject({
    status: 504,
    json: { error: { code: "run_timeout" } },
  });
});

test("what an agent says after its run ended goes nowhere, and it may clean up", async () => {
  const over = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const deaf = agentOf(
    async function* () {
      try {
        yield "a";
        await over.promise;
        yield "late";
      } finally {
        closed.resolve();
      }
    },
    { timeoutSeconds: 0.05 },
  );
  const { text, error } = await askStream(await startGateway({ agents: [deaf] }));
  expect([text, error?.code]).toEqual(["a", "run_timeout"]);
  over.resolve();
  await closed.promise;
});
