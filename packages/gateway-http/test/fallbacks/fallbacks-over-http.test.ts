import { expect, test } from "vitest";
import { z } from "zod";
import { ask, askStream, hi } from "../support/chat.ts";
import { chunk } from "../support/stand-in-provider.ts";
import { startGateway } from "../support/start-gateway.ts";
import { answers, fails, inTurn, shiftClock, startChain } from "./chain.ts";

const EVENTS = { "x-openclaw-events": "1" };

test("a whole answer says which model gave it", async () => {
  const door = await startChain({ says: [fails(429), answers("from b")] });
  const { status, json, text } = await ask(door);
  expect([status, text, json.openclaw]).toEqual([200, "from b", { model: "b/x" }]);
  expect(json.usage?.openclaw?.calls).toBe(1);
  expect(door.asked()).toEqual([1, 1]);
});

test("a stream says so on request, on its first chunk after the role, and not otherwise", async () => {
  const door = await startChain({ says: [fails(401), answers("from b")] });
  const { chunks, text } = await askStream(door, hi(), EVENTS);
  expect(text).toBe("from b");
  expect(chunks[1]).toMatchObject({ choices: [{ delta: {} }], openclaw: { type: "model", model: "b/x" } });
  expect(chunks.filter(({ openclaw }) => openclaw)).toHaveLength(1);
  expect((await askStream(door)).raw).not.toContain('"openclaw":{');
});

test("a server that is down for a moment is asked again", async () => {
  const door = await startChain({ says: [inTurn(fails(503), answers("from a")), answers("from b")] });
  const { text, json } = await ask(door);
  expect([text, json.openclaw, door.asked()]).toEqual(["from a", { model: "a/x" }, [2, 0]]);
  expect(door.told).toEqual([]);
});

test("one that fails is passed over, and used again once it answers; the log is told of both", async () => {
  const pass = shiftClock();
  const door = await startChain({ says: [inTurn(fails(429, "slow down"), answers("from a")), answers("from b")] });
  expect((await ask(door)).text).toBe("from b");
  expect((await ask(door)).text).toBe("from b");
  expect(door.asked()).toEqual([1, 2]);
  pass(10_000);
  expect((await ask(door)).text).toBe("from a");
  expect(door.told).toEqual([
    {
      agent: "main",
      model: "a/x",
      reason: "provider_rate_limited: The provider a answered 429: slow down",
      benchedMs: 10_000,
    },
    { agent: "main", model: "a/x" },
  ]);
});

test("a refused key is the operator's to mend: the next model answers, and the log has the provider's words", async () => {
  const door = await startChain({ says: [fails(401, "bad key"), answers("from b")] });
  expect((await ask(door)).text).toBe("from b");
  expect(door.told[0]?.reason).toMatch(/^provider_auth: .*bad key/);
});

test("the bench is an agent's own", async () => {
  const door = await startChain({ says: [inTurn(fails(429), answers("from a")), answers("from b")] });
  await ask(door);
  const other = await startGateway({
    config: {
      models: {
        providers: { a: { baseUrl: door.providers[0]?.baseUrl as string }, b: { baseUrl: "http://[::1]:1/v1" } },
      },
      agents: { list: [{ id: "main", model: { primary: "a/x", fallbacks: ["b/x"] } }] },
    },
  });
  expect((await ask(other)).text).toBe("from a");
});

test("what is wrong with the request is told at once", async () => {
  const tooLong = fails(400, "maximum context length is 8192 tokens");
  const door = await startChain({ says: [tooLong, answers("from b")] });
  const { status, json } = await ask(door);
  expect([status, json.error.code]).toEqual([400, "context_length_exceeded"]);
  expect(door.asked()).toEqual([1, 0]);
});

test("when all fail, the caller gets a plain HTTP error with its retry advice", async () => {
  const door = await startChain({ says: [fails(429, "later", { "retry-after": "7" }), fails(401)] });
  const { status, json, response } = await ask(door, hi({ stream: true }));
  expect([status, json.error.code, response.headers.get("retry-after")]).toEqual([429, "provider_rate_limited", "7"]);
  expect(response.headers.get("x-should-retry")).toBe("true");
});

test("a stream that breaks after its first word stays broken", async () => {
  const door = await startChain({
    says: [
      async (exchange) => {
        await exchange.open().say("half");
        exchange.destroy();
      },
      answers("from b"),
    ],
  });
  const { text, error } = await askStream(door);
  expect([text, error?.code, door.asked()]).toEqual(["half", "provider_bad_response", [1, 0]]);
});

test("another model for this run is that model alone", async () => {
  const door = await startChain({ says: [answers("from a"), fails(429)] });
  const headers = { "x-openclaw-model": "b/x" };
  expect((await ask(door, hi(), headers)).json.error.code).toBe("provider_rate_limited");
  expect(door.asked()).toEqual([0, 1]);
  expect(door.told).toEqual([]);
  const { json } = await ask(door, hi(), { "x-openclaw-model": "a/y" });
  expect(json.openclaw).toEqual({ model: "a/y" });
});

test("a keyed request is answered by the fallback once, and replayed", async () => {
  const door = await startChain({ says: [fails(429), answers("from b")] });
  const headers = { ...EVENTS, "idempotency-key": "k" };
  const first = await askStream(door, hi(), headers);
  const again = await askStream(door, hi(), headers);
  expect([first.text, again.raw]).toEqual(["from b", first.raw]);
  expect(door.asked()).toEqual([1, 1]);
  const json = { "idempotency-key": "whole" };
  expect((await ask(door, hi(), json)).json).toEqual((await ask(door, hi(), json)).json);
});

test("a step of a tool loop may be another model's than the one before", async () => {
  const call = { index: 0, id: "c1", type: "function", function: { name: "now", arguments: "{}" } };
  const door = await startChain({
    tools: { now: { schema: z.object({}), run: () => "noon" } },
    says: [
      inTurn(async (exchange) => {
        await exchange.open().event(chunk({ tool_calls: [call] }));
        exchange.finish("tool_calls");
      }, fails(429)),
      answers("It is noon."),
    ],
  });
  const { chunks, text } = await askStream(door, hi(), EVENTS);
  expect(text).toBe("It is noon.");
  expect(chunks.flatMap(({ openclaw }) => openclaw ?? [])).toEqual([
    { type: "model", model: "a/x" },
    { type: "tool-start", id: "c1", name: "now" },
    { type: "tool-end", id: "c1", ok: true },
    { type: "model", model: "b/x" },
  ]);
  expect(door.providers[1]?.exchanges[0]?.json.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
});

test("the demo says that it is the demo, and an agent in code says nothing", async () => {
  const door = await startGateway();
  expect((await ask(door)).json.openclaw).toEqual({ model: "demo" });
  const own = await startGateway({ agents: [(await import("../support/agents.ts")).sayer("hello")] });
  expect((await ask(own)).json).not.toHaveProperty("openclaw");
});
