import OpenAI from "openai";
import { expect, test } from "vitest";
import { type Agent, GatewayError } from "../../src/index.ts";
import { agentOf, sayer } from "../support/agents.ts";
import { ask, readStream } from "../support/chat.ts";
import { bearer, failure, say, startLimited, toConfig, toSdk } from "../support/limited.ts";
import { startGateway } from "../support/start-gateway.ts";

const KEY = "x-openclaw-session-key";

test("a key has so many runs at a time; another key has its own", async () => {
  const { client, door, request, gateway } = await startLimited(toConfig({}, { a: 1, b: 1 }));
  const one = client("a").chat.completions.create(toSdk("one"));
  await door.beginning("one");
  const headers = { [KEY]: "second" };
  for (const stream of [false, true]) {
    const refused = client("a").chat.completions.create({ ...toSdk("two"), stream }, { headers });
    const error = await failure(refused);
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ status: 429, code: "rate_limit_exceeded", type: "rate_limit_error" });
    expect(error.headers.get("retry-after")).toBe("1");
    expect(error.headers.get("x-should-retry")).toBe("true");
  }
  const other = client("b").chat.completions.create(toSdk("of b"));
  await door.beginning("of b");
  expect(gateway.runs.active).toBe(2);
  door.releaseAll();
  await Promise.all([one, other]);
  expect(door.begun).toEqual(["one", "of b"]);
  expect((await request("/v1/sessions/agent:main:second", { headers: bearer("a") })).status).toBe(404);
});

test("OpenAI's SDK tries again after a 429 by itself, and is served", async () => {
  const { client, door } = await startLimited(toConfig({}, { a: 1 }));
  const one = client("a").chat.completions.create(toSdk("one"));
  await door.beginning("one");
  const statuses: number[] = [];
  const patient = client("a", {
    maxRetries: 1,
    async fetch(url, init) {
      const response = await fetch(url, init);
      statuses.push(response.status);
      door.releaseAll();
      await one;
      return response;
    },
  });
  const answer = await patient.chat.completions.create(toSdk("two"));
  expect(answer.choices[0]?.message.content).toBe("two");
  expect(statuses).toEqual([429, 200]);
});

test("who comes back to a run starts none, and so is let through, also when all is full", async () => {
  const { request, door, gateway } = await startLimited(toConfig({ concurrentRuns: 1, queuedRuns: 0 }, { a: 1 }));
  const attach = () =>
    request("/v1/chat/completions", {
      body: say("one", { stream: true }),
      headers: { ...bearer("a"), "idempotency-key": "k" },
    });
  const first = attach();
  await door.beginning("one");
  const second = attach();
  const refused = await ask({ request, port: 0 }, say("one"), { ...bearer("a"), "idempotency-key": "another" });
  expect([refused.status, refused.json.error.code]).toEqual([503, "gateway_overloaded"]);
  door.releaseAll();
  for (const answer of [await readStream(await first), await readStream(await second)]) expect(answer.text).toBe("one");
  expect((await second).headers.get("idempotency-replayed")).toBe("true");
  expect(door.begun).toEqual(["one"]);
  expect(gateway.runs.active).toBe(0);
});

test("however a run ends, its owner may start another", async () => {
  const failing = agentOf(async function* () {
    yield "x";
    throw new Error("no");
  });
  const hanging = (more = {}) =>
    agentOf(() => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }), more);
  const { gateway } = await startGateway({ agents: [sayer("x")] });
  const ends: [string, Agent, boolean?][] = [
    ["end", sayer("x")],
    ["failure", failing],
    ["deadline", hanging({ timeoutSeconds: 0.02 })],
    ["abort", hanging(), true],
  ];
  for (const stateless of [true, false]) {
    for (const [what, agent, aborts] of ends) {
      const begin = () =>
        gateway.runs.start({
          agent,
          turn: { messages: [{ role: "user", content: "hi" }], instructions: [], params: {}, stream: false },
          session: { owner: "ann", key: "agent:main:x", stateless },
          limits: { concurrentRuns: 1 },
        });
      const run = begin();
      expect(begin, what).toThrow(expect.objectContaining({ code: "rate_limit_exceeded", retryAfter: 1 }));
      if (aborts) run.abort(new GatewayError("run_aborted", "x"));
      await run.result;
      expect(gateway.runs.active, what).toBe(0);
    }
  }
});
