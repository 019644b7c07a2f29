import { expect, test } from "vitest";
import type { AgentEvent } from "../../src/chat/run-event.ts";
import { GatewayError } from "../../src/index.ts";
import { withFallbacks } from "../../src/models/fallbacks.ts";
import type { StreamModel } from "../../src/models/model.ts";

const REQUEST = { messages: [], params: { temperature: 0, thinking: {} }, stream: true };
const HELLO: AgentEvent[] = [{ type: "text-delta", text: "hello" }];
type Try = GatewayError | Error | readonly (readonly AgentEvent[])[];

/** A chain of `a/x`, `b/x` …, each of which does one of these at each try, the last again and again. */
function chainOf(...models: readonly (readonly Try[])[]) {
  const tries: string[] = [];
  const lines: string[] = [];
  /** Names of the params of each try. */
  const heard: string[] = [];
  let clock = 0;
  const chain = models.map((says, at) => {
    const model = `${"abc"[at]}/x`;
    let count = 0;
    const stream: StreamModel = async function* ({ params }) {
      tries.push(model);
      heard.push(Object.keys(params).join(" "));
      const said = says[Math.min(count++, says.length - 1)] as Try;
      if (said instanceof Error) throw said;
      yield* said;
    };
    return { model, stream };
  });
  const stream = withFallbacks(chain, {
    onBench: ({ model, reason, benchedMs }) =>
      lines.push(benchedMs ? `${model} ${benchedMs} ${reason}` : `${model} back`),
    backOffMs: 0,
    now: () => clock,
  });
  return {
    tries,
    lines,
    heard,
    pass: (ms: number) => {
      clock += ms;
    },
    /** The events, or the code of the error after those there were. */
    async call(signal = new AbortController().signal) {
      const said: unknown[] = [];
      try {
        for await (const events of stream(REQUEST, { signal })) said.push(...events);
      } catch (error) {
        said.push(error instanceof GatewayError ? error.code : error);
      }
      return said;
    },
  };
}

const err = (code: ConstructorParameters<typeof GatewayError>[0], more = {}) => new GatewayError(code, "no", more);
const fromA = [{ type: "model", model: "a/x" }, ...HELLO];
const fromB = [{ type: "model", model: "b/x", fallback: true }, ...HELLO];

test.each([
  ["provider_overloaded", {}],
  ["provider_unreachable", {}],
  ["provider_bad_response", {}],
  ["provider_error", { retry: true }],
] as const)("%s is tried a second time, then the next model is asked", async (code, more) => {
  const once = chainOf([err(code, more), [HELLO]], [[HELLO]]);
  expect(await once.call()).toEqual(fromA);
  expect([once.tries, once.lines]).toEqual([["a/x", "a/x"], []]);
  const always = chainOf([err(code, more)], [[HELLO]]);
  expect(await always.call()).toEqual(fromB);
  expect([always.tries, always.lines]).toEqual([["a/x", "a/x", "b/x"], [`a/x 10000 ${code}: no`]]);
});

test.each([
  ["provider_rate_limited", {}],
  ["provider_timeout", {}],
  ["provider_auth", {}],
  ["provider_model_not_found", {}],
  ["provider_overloaded", { retryAfter: 30 }],
] as const)("%s %j goes straight to the next model", async (code, more) => {
  const { call, tries } = chainOf([err(code, more)], [[HELLO]]);
  expect(await call()).toEqual(fromB);
  expect(tries).toEqual(["a/x", "b/x"]);
});

test.each([
  err("context_length_exceeded"),
  err("content_filter"),
  err("provider_error", { retry: false }),
  err("internal_error"),
  new TypeError("a bug"),
])("%s is the answer: nobody else is asked, and nobody is benched", async (error) => {
  const { call, tries, lines } = chainOf([error], [[HELLO]]);
  expect(await call()).toEqual([error instanceof GatewayError ? error.code : error]);
  expect([tries, lines]).toEqual([["a/x"], []]);
});

test("after the first event nothing is tried again", async () => {
  const broken: StreamModel = async function* () {
    yield HELLO;
    throw err("provider_bad_response");
  };
  const tries: string[] = [];
  const stream = withFallbacks(
    [
      { model: "a/x", stream: broken },
      {
        model: "b/x",
        stream: async function* () {
          tries.push("b");
          yield HELLO;
        },
      },
    ],
    { onBench: () => tries.push("benched"), backOffMs: 0 },
  );
  const said: unknown[] = [];
  const all = (async () => {
    for await (const events of stream(REQUEST, { signal: new AbortController().signal })) said.push(...events);
  })();
  await expect(all).rejects.toMatchObject({ code: "provider_bad_response" });
  expect([said, tries]).toEqual([fromA, []]);
});

test("who failed is passed over, tried again in time, and said to be back once it answers", async () => {
  const { call, tries, lines, pass } = chainOf([err("provider_timeout"), [HELLO]], [[HELLO]]);
  await call();
  pass(9_999);
  expect(await call()).toEqual(fromB);
  expect(tries).toEqual(["a/x", "b/x", "b/x"]);
  pass(1);
  expect(await call()).toEqual(fromA);
  expect(lines).toEqual(["a/x 10000 provider_timeout: no", "a/x back"]);
});

test("the provider's retry-after says how long, up to a minute", async () => {
  const short = chainOf([err("provider_rate_limited", { retryAfter: 3 })], [[HELLO]]);
  await short.call();
  short.pass(3000);
  await short.call();
  expect(short.tries).toEqual(["a/x", "b/x", "a/x", "b/x"]);
  const long = chainOf([err("provider_rate_limited", { retryAfter: 3600 })], [[HELLO]]);
  await long.call();
  expect(long.lines).toEqual(["a/x 60000 provider_rate_limited: no"]);
});

test("when all are benched they are tried in order, and every stretch on the bench has its line", async () => {
  const { call, tries, lines, pass } = chainOf([err("provider_timeout")], [err("provider_auth")]);
  for (let minute = 0; minute < 3; minute++) {
    await call();
    await call();
    pass(10_000);
  }
  expect(tries).toEqual(Array.from({ length: 6 }, () => ["a/x", "b/x"]).flat());
  expect(lines).toHaveLength(6);
});

test.each([
  [
    "the first choice's error",
    [err("provider_overloaded", { retryAfter: 1 })],
    [err("provider_timeout")],
    "provider_overloaded",
  ],
  [
    "one that may be tried again, when the first may not",
    [err("provider_auth")],
    [err("provider_timeout")],
    "provider_timeout",
  ],
  ["the first one's, when none may", [err("provider_auth")], [err("provider_model_not_found")], "provider_auth"],
] as const)("when all fail, the caller is told %s", async (_, a, b, code) => {
  expect(await chainOf(a, b).call()).toEqual([code]);
});

test("an error that says when to come again beats that of a first choice known to be down", async () => {
  const { call } = chainOf([err("provider_timeout")], [err("provider_rate_limited", { retryAfter: 5 })]);
  expect(await call()).toEqual(["provider_timeout"]);
  expect(await call()).toEqual(["provider_rate_limited"]);
});

test("a caller that leaves is the end: no other model, nobody benched", async () => {
  const controller = new AbortController();
  const reason = err("run_aborted");
  const leaving: StreamModel = async function* () {
    controller.abort(reason);
    yield [];
    throw err("provider_unreachable");
  };
  const lines: unknown[] = [];
  const next: StreamModel = async function* () {
    lines.push("asked");
    yield HELLO;
  };
  const chain = [
    { model: "a/x", stream: leaving },
    { model: "b/x", stream: next },
  ];
  const stream = withFallbacks(chain, { onBench: (about) => lines.push(about) });
  const iterator = stream(REQUEST, { signal: controller.signal })[Symbol.asyncIterator]();
  await expect(iterator.next()).rejects.toBeInstanceOf(GatewayError);
  expect(lines).toEqual([]);
});

test("leaving while it is waited for the second try ends the wait", async () => {
  const controller = new AbortController();
  const reason = err("run_aborted");
  const failing: StreamModel = async function* () {
    yield [];
    throw err("provider_overloaded");
  };
  const stream = withFallbacks([{ model: "a/x", stream: failing }], { onBench: () => {}, backOffMs: 1_000_000 });
  const waiting = stream(REQUEST, { signal: controller.signal })[Symbol.asyncIterator]().next();
  setImmediate(() => controller.abort(reason));
  await expect(waiting).rejects.toBe(reason);
});

test("leaving in mid-answer closes the model's own stream", async () => {
  let closed = false;
  const stream = withFallbacks(
    [
      {
        model: "a/x",
        async *stream() {
          try {
            for (;;) yield HELLO;
          } finally {
            closed = true;
          }
        },
      },
    ],
    { onBench: () => {} },
  );
  for await (const _ of stream(REQUEST, { signal: new AbortController().signal })) break;
  expect(closed).toBe(true);
});

test("what the config says in the first provider's own terms is not told to another's model", async () => {
  const chain = chainOf([err("provider_rate_limited")], [[HELLO]]);
  await chain.call();
  expect(chain.heard).toEqual(["temperature thinking", "temperature"]);
});

test("a fallback that does not take the request hides no failure that may be tried again", async () => {
  for (const refusal of [err("provider_error", { retry: false }), err("context_length_exceeded")]) {
    const chain = chainOf([err("provider_rate_limited")], [refusal]);
    expect(await chain.call()).toEqual(["provider_rate_limited"]);
    expect(chain.lines).toEqual(["a/x 10000 provider_rate_limited: no"]);
  }
});
