import OpenAI from "openai";
import { expect, test } from "vitest";
import { type Agent, GatewayError } from "../../src/index.ts";
import { agentOf, sayer } from "../support/agents.ts";
import { ask, askStream, readStream } from "../support/chat.ts";
import { bearer, failure, say, startLimited, toConfig, toSdk } from "../support/limited.ts";
import { openSocket } from "../support/raw-http.ts";
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
  const { request, door, gateway } = await startLimited(toConfig({ concurrentRuns: 1, queuedRuns: 0 }, { a: 1, b: 1 }));
  const attach = () =>
    request("/v1/chat/completions", {
      body: say("one", { stream: true }),
      headers: { ...bearer("a"), "idempotency-key": "k" },
    });
  const first = attach();
  await door.beginning("one");
  const second = attach();
  // Who is at a limit of its own is told that first.
  for (const [id, ...expected] of [
    ["a", 429, "rate_limit_exceeded"],
    ["b", 503, "gateway_overloaded"],
  ] as const) {
    const refused = await ask({ request, port: 0 }, say("one"), { ...bearer(id), "idempotency-key": "another" });
    expect([refused.status, refused.json.error.code]).toEqual(expected);
  }
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

test("a start that throws keeps no place", async () => {
  const { gateway } = await startGateway({
    agents: [sayer("x")],
    config: toConfig({ concurrentRuns: 1, queuedRuns: 0 }),
  });
  const start = (turn: unknown) =>
    gateway.runs.start({
      agent: gateway.defaultAgent,
      turn: turn as never,
      session: { owner: "ann", key: "agent:main:x", stateless: true },
      limits: { concurrentRuns: 1 },
    });
  for (let times = 0; times < 3; times++) expect(() => start(undefined)).toThrow(TypeError);
  const turn = { messages: [{ role: "user", content: "hi" }], instructions: [], params: {}, stream: false };
  expect((await start(turn).result).answer.text).toBe("x");
});

test("a key at its limit is refused before its body has come", async () => {
  const { port, door, client } = await startLimited(toConfig({}, { a: 1 }));
  const held = client("a").chat.completions.create(toSdk("one"));
  await door.beginning("one");
  const { socket, seen } = openSocket(port);
  const { authorization } = bearer("a");
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: ${authorization}\r\n`);
  socket.write("content-type: application/json\r\ncontent-length: 20000000\r\n\r\n{");
  await seen(/^HTTP\/1\.1 429 [\s\S]*rate_limit_exceeded/);
  socket.destroy();
  door.releaseAll();
  await held;
});

test("who goes on with an answer that is over and kept is served while all is full", async () => {
  const { request, door, reach, port } = await startLimited(toConfig({ concurrentRuns: 1, queuedRuns: 0 }));
  const headers = { "idempotency-key": "k" };
  const body = say("one", { stream: true });
  door.release("one");
  const whole = await askStream({ request, port }, body, headers);
  const [first = ""] = /(?<=^id: ).*$/m.exec(whole.raw) ?? [];
  await reach(0);
  const held = request("/v1/chat/completions", { body: say("two") });
  await door.beginning("two");
  const rest = await request("/v1/chat/completions", { body, headers: { ...headers, "last-event-id": first } });
  expect(rest.status).toBe(200);
  expect(await rest.text()).toBe(whole.raw.slice(whole.raw.indexOf("\n\n") + 2));
  // Without a key there is nothing to go on with.
  const other = await request("/v1/chat/completions", { body, headers: { "last-event-id": first } });
  expect(other.status).toBe(503);
  door.releaseAll();
  await held;
});
