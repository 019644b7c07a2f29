import { expect, test } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { stepper } from "../support/agents.ts";
import { obedient } from "../support/obedient.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const say = (message: string, idempotencyKey: string, more: object = {}) => ({
  ...{ sessionKey: "s", message, idempotencyKey, ...more },
});

async function start() {
  const told = obedient();
  const { url, gateway } = await startGateway({ agents: [told.agent] });
  const client = await connectWatched(url, { token: TOKEN });
  return {
    ...told,
    client,
    url,
    gateway,
    /** Runs what ends by itself, and waits for that. */
    async finish(method: "chat.send" | "agent", message: string, id: string) {
      await client.request(method, say(message, id));
      await client.untilEvent("chat", ({ runId, state }) => runId === id && state !== "delta");
    },
  };
}

const finals = (client: { payloads(event: string): { state: string }[] }) =>
  client.payloads("chat").filter(({ state }) => state !== "delta").length;

test("chat.send under way, asked again with the same input, starts nothing: from another connection, too", async () => {
  const { client, url, begun, go, turns } = await start();
  expect(await client.request("chat.send", say("wait", "r1"))).toEqual({ runId: "r1", status: "started" });
  await begun("r1");
  const other = await connectWatched(url, { token: TOKEN });
  for (const who of [client, other]) {
    expect(await who.request("chat.send", say("wait", "r1"))).toEqual({ runId: "r1", status: "in_flight" });
  }
  go("r1");
  await client.untilEvent("chat", ({ state }) => state === "final");
  expect(await other.request("chat.send", say("wait", "r1"))).toEqual({ runId: "r1", status: "ok" });
  expect([turns.length, finals(client), finals(other)]).toEqual([1, 1, 1]);
});

test("chat.send that was aborted or has failed, asked again, says how it ended", async () => {
  const { client, begun, finish, turns } = await start();
  await client.request("chat.send", say("wait", "r1"));
  await begun("r1");
  await client.request("chat.abort", { sessionKey: "s" });
  const aborted = await client.request("chat.send", say("wait", "r1"));
  expect(aborted).toEqual({
    ...{ runId: "r1", status: "timeout", summary: "aborted", stopReason: "rpc", endedAt: expect.any(Number) },
  });
  await finish("chat.send", "fail", "r2");
  expect(await client.ask("chat.send", say("fail", "r2"))).toMatchObject({
    ok: false,
    payload: { runId: "r2", status: "error", summary: "the model is broken" },
    error: { code: "UNAVAILABLE", message: "the model is broken" },
  });
  expect(turns).toHaveLength(2);
});

test("chat.send with the same key and other input is a conflict, running or not", async () => {
  const { client, begun, go } = await start();
  const conflict = { ok: false, error: { code: "INVALID_REQUEST", details: { reason: "chat-request-conflict" } } };
  const others = [
    say("other", "r1"),
    say("wait", "r1", { sessionKey: "t" }),
    say("wait", "r1", { attachments: [{ mimeType: "image/png", content: "aGk=" }] }),
  ];
  await client.request("chat.send", say("wait", "r1"));
  await begun("r1");
  for (const other of others) expect(await client.ask("chat.send", other)).toMatchObject(conflict);
  go("r1");
  await client.untilEvent("chat", ({ state }) => state === "final");
  for (const other of others) expect(await client.ask("chat.send", other)).toMatchObject(conflict);
});

test("what was refused before a run is not remembered", async () => {
  const { client, turns } = await start();
  const bad = say("hi", "r1", { attachments: [{ mimeType: "text/plain", content: "aGk=" }] });
  expect(await client.ask("chat.send", bad)).toMatchObject({ ok: false, error: { code: "INVALID_REQUEST" } });
  expect(await client.request("chat.send", say("hi", "r1"))).toEqual({ runId: "r1", status: "started" });
  await client.untilEvent("chat", ({ state }) => state === "final");
  expect(turns).toHaveLength(1);
});

test("agent, asked again: under way, in one word; over, in its last one", async () => {
  const { client, begun, go, finish, turns } = await start();
  const about = { runId: "r1", sessionKey: "agent:main:s", agentId: "main" };
  const accepted = await client.request("agent", say("wait", "r1"));
  expect(accepted).toEqual({ ...about, status: "accepted", acceptedAt: expect.any(Number) });
  await begun("r1");
  // Upstream does not look at what else is asked.
  expect(await client.request("agent", say("other", "r1"))).toEqual({ ...about, status: "in_flight" });
  go("r1");
  const last = await client.until<{ payload: object }>(({ payload }) => payload?.status === "ok");
  expect(await client.request("agent", say("wait", "r1"))).toEqual(last.payload);

  client.send({ type: "req", id: "x", method: "agent", params: say("wait", "r2") });
  await begun("r2");
  await client.request("chat.abort", { sessionKey: "s" });
  const aborted = { runId: "r2", status: "timeout", summary: "aborted", stopReason: "rpc" };
  expect(await client.until(({ id, payload }) => id === "x" && payload.status !== "accepted")).toMatchObject({
    ...{ ok: true, payload: aborted },
  });
  expect(await client.request("agent", say("wait", "r2"))).toEqual(aborted);

  await finish("agent", "fail", "r3");
  expect(await client.ask("agent", say("fail", "r3"))).toMatchObject({
    ok: false,
    payload: { runId: "r3", status: "error", summary: "the model is broken" },
    error: { code: "UNAVAILABLE", message: "the model is broken" },
  });
  expect(turns).toHaveLength(3);
});

test("both methods share their keys", async () => {
  const { client, begun, go, turns } = await start();
  await client.request("agent", say("wait", "r1"));
  await begun("r1");
  expect(await client.request("chat.send", say("wait", "r1"))).toEqual({ runId: "r1", status: "in_flight" });
  go("r1");
  await client.until(({ payload }) => payload?.status === "ok");
  expect(await client.request("chat.send", say("wait", "r1"))).toEqual({ runId: "r1", status: "ok" });

  await client.request("chat.send", say("wait", "r2"));
  await begun("r2");
  expect(await client.request("agent", say("wait", "r2"))).toMatchObject({ runId: "r2", status: "in_flight" });
  go("r2");
  await client.untilEvent("chat", ({ runId, state }) => runId === "r2" && state === "final");
  expect(await client.request("agent", say("wait", "r2"))).toMatchObject({
    ...{ status: "ok", result: { payloads: [{ text: "so far and on" }] } },
  });
  expect(turns).toHaveLength(2);
});

test("a run that waits for its session is under way, by its own id", async () => {
  const { client, begun, go, turns } = await start();
  await client.request("chat.send", say("wait", "r1"));
  await begun("r1");
  await client.request("chat.send", say("second", "r2"));
  await client.request("agent", say("third", "r3"));
  expect(await client.request("chat.send", say("second", "r2"))).toEqual({ runId: "r2", status: "in_flight" });
  expect(await client.request("agent", say("third", "r3"))).toMatchObject({ runId: "r3", status: "in_flight" });
  expect(await client.request("chat.send", say("third", "r3"))).toEqual({ runId: "r3", status: "in_flight" });
  go("r1");
  await client.untilEvent("chat", ({ runId, state }) => runId === "r3" && state === "final");
  expect(turns.map(({ runId, messages }) => [runId, messages.length])).toEqual([
    ["r1", 1],
    ["r2", 3],
    ["r3", 5],
  ]);
});

test("agent, asked again from another session, says in which one its run is", async () => {
  const { client, begun, go, gateway } = await start();
  await client.request("agent", say("wait", "r1"));
  await begun("r1");
  const elsewhere = say("wait", "r1", { sessionKey: "t" });
  expect(await client.request("agent", elsewhere)).toMatchObject({ status: "in_flight", sessionKey: "agent:main:s" });
  go("r1");
  // One that came through another door, too.
  gateway.runs.start({
    id: "r2",
    agent: gateway.defaultAgent,
    turn: { messages: [{ role: "user", content: "wait" }], instructions: [], params: {}, stream: true },
    session: { owner: "operator", key: "agent:main:u", stateless: false },
  });
  expect(await client.request("agent", say("wait", "r2"))).toEqual({
    ...{ runId: "r2", status: "in_flight", sessionKey: "agent:main:u", agentId: "main" },
  });
  go("r2");
});

test("a failure that is told again says whether, and when, the same may be asked", async () => {
  const { agent, fail } = stepper();
  fail(new GatewayError("provider_rate_limited", "later", { retry: true, retryAfter: 2 }));
  const { url } = await startGateway({ agents: [agent] });
  const client = await connectWatched(url, { token: TOKEN });
  const error = { code: "UNAVAILABLE", message: "later", retryable: true, retryAfterMs: 2000 };
  client.send({ type: "req", id: "x", method: "agent", params: say("hi", "r1") });
  const last = await client.until(({ id, ok }) => id === "x" && !ok);
  expect(last).toMatchObject({ error, payload: { runId: "r1", status: "error", summary: "later" } });
  for (const method of ["agent", "chat.send"]) {
    expect(await client.ask(method, say("hi", "r1"))).toMatchObject({ ok: false, error });
  }
});
