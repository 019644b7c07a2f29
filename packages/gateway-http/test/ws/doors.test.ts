import { setImmediate as nextLoop } from "node:timers/promises";
import { expect, test } from "vitest";
import { agentOf } from "../support/agents.ts";
import { type Door, hi, openRaw, readAnswer } from "../support/chat.ts";
import { obedient } from "../support/obedient.ts";
import { connectSocket } from "../support/socket-client.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const KEY = "agent:main:s";
const IN_S = { "x-openclaw-session-key": "s" };
const KIB = "x".repeat(1024);
/** Bytes that the system itself may keep for a connection on this machine, both ends. */
const SYSTEM_BUFFERS = 32 * 1024 * 1024;
const TOOL = { type: "function", function: { name: "look", parameters: {} } };

async function start() {
  const told = obedient();
  const door = await startGateway({ agents: [told.agent] });
  const client = await connectWatched(door.url, { token: TOKEN });
  const get = async (path: string) => (await door.request(path)).json() as Promise<Record<string, unknown>>;
  return { ...told, ...door, client, get };
}

const ask = (door: Door, body: object, headers: Record<string, string> = {}) =>
  door.request("/v1/chat/completions", {
    body: hi({ messages: [{ role: "user", content: "wait" }], ...body }),
    headers,
  });

test.each([
  ["streamed", { stream: true }, IN_S],
  ["not streamed", {}, IN_S],
  ["under a key", { stream: true }, { ...IN_S, "idempotency-key": "k1" }],
  ["of no session", { stream: true }, {}],
  ["of no session, not streamed", {}, {}],
  ["with tools of its client", { stream: true, tools: [TOOL] }, IN_S],
] as [string, object, Record<string, string>][])(
  "a run over HTTP, %s, is seen live over the socket",
  async (_what, body, headers) => {
    const door = await start();
    const { client, go } = door;
    const answer = ask(door, body, headers);
    const delta = await client.untilEvent("chat", ({ state }) => state === "delta");
    expect(delta).toMatchObject({ deltaText: "so far", runId: expect.stringMatching(/^chatcmpl-/), agentId: "main" });
    if ("x-openclaw-session-key" in headers) expect(delta.sessionKey).toBe(KEY);
    go(delta.runId);
    const end = await client.untilEvent("chat", ({ state }) => state === "final");
    expect(end).toMatchObject({ runId: delta.runId, message: { content: [{ text: "so far and on" }] } });
    expect(await (await answer).text()).toContain("and on");
  },
);

test.each([
  ["its id", ({ runId, sessionKey }: Record<string, string>) => ({ sessionKey, runId })],
  ["its session", ({ sessionKey }: Record<string, string>) => ({ sessionKey })],
])("a run over HTTP is aborted over the socket by %s", async (_what, paramsOf) => {
  for (const headers of [IN_S, { ...IN_S, "idempotency-key": "k1" }, {}] as Record<string, string>[]) {
    const door = await start();
    const { client } = door;
    const streamed = ask(door, { stream: true }, headers);
    const delta = await client.untilEvent("chat", ({ state }) => state === "delta");
    expect(await client.request("chat.abort", paramsOf(delta))).toMatchObject({ aborted: true, runIds: [delta.runId] });
    expect(await client.untilEvent("chat", ({ state }) => state !== "delta")).toMatchObject({ state: "aborted" });
    const { error, text } = readAnswer(await (await streamed).text());
    expect([text, error?.code]).toEqual(["so far", "run_aborted"]);
  }
});

test("client's tool calls end a run in its words, and none", async () => {
  const agent = agentOf(async function* () {
    yield { type: "tool-call-start", index: 0, id: "call_1", name: "look" };
    yield { type: "tool-call-delta", index: 0, arguments: "{}" };
  });
  const door = await startGateway({ agents: [agent] });
  const client = await connectWatched(door.url, { token: TOKEN });
  const answer = await ask(door, { tools: [TOOL] }, IN_S);
  expect(await answer.json()).toMatchObject({ choices: [{ finish_reason: "tool_calls" }] });
  const end = await client.untilEvent("chat", ({ state }) => state !== "delta");
  expect(end).toMatchObject({ state: "final", stopReason: "tool_calls" });
  expect(end).not.toHaveProperty("message");
  const { messages } = await client.request("chat.history", { sessionKey: "s" });
  expect(messages.at(-1)).toMatchObject({ stopReason: "toolUse", content: [{ type: "toolCall", name: "look" }] });
});

test("a run of the socket is seen, and ended, over HTTP", async () => {
  const { client, get, begun, request } = await start();
  const path = `/v1/sessions/${encodeURIComponent(KEY)}`;
  const params = { sessionKey: "s", message: "wait" };
  await client.request("sessions.subscribe");
  await client.request("chat.send", { ...params, idempotencyKey: "r1" });
  await begun("r1");
  expect(await get(path)).toMatchObject({ id: KEY, active_run: "r1" });
  const aborted = await request(`${path}/abort`, { body: {} });
  expect(await aborted.json()).toMatchObject({ aborted: "r1" });
  expect(await client.untilEvent("chat", ({ state }) => state !== "delta")).toMatchObject({ state: "aborted" });
  await client.untilEvent("session.message", ({ message }) => message.role === "assistant");

  await client.request("agent", { ...params, idempotencyKey: "r 2/é" });
  await begun("r 2/é");
  const cancel = `/v1/chat/completions/${encodeURIComponent("r 2/é")}/cancel`;
  expect(await (await request(cancel, { body: {} })).json()).toEqual({ id: "r 2/é", cancelled: true });
  expect(await client.untilEvent("chat", ({ runId, state }) => runId === "r 2/é" && state !== "delta")).toMatchObject({
    state: "aborted",
  });
  expect(await (await request(cancel, { body: {} })).json()).toEqual({ id: "r 2/é", cancelled: false });
  await client.untilEvent("session.message", ({ message }) => message.__openclaw.seq === 4);
  expect(await get(path)).toMatchObject({ active_run: null });
  const { data } = (await get(`${path}/messages`)) as { data: Record<string, unknown>[] };
  expect(data.map(({ run_id, content }) => [run_id, content])).toEqual([
    ...[
      ["r1", "wait"],
      ["r1", "so far"],
      ["r 2/é", "wait"],
      ["r 2/é", "so far"],
    ],
  ]);
});

test("both doors wait for each other in a session, and go on with one talk", async () => {
  const door = await start();
  const { client, begun, go, turns, gateway } = door;
  await client.request("chat.send", { sessionKey: "s", message: "wait", idempotencyKey: "r1" });
  await begun("r1");
  const next = ask(door, { messages: [{ role: "user", content: "and then" }] }, IN_S);
  await expect.poll(() => gateway.runs.active).toBe(2);
  const [, waiting] = [...gateway.runs.all.keys()];
  const same = { sessionKey: "s", message: "and then", idempotencyKey: waiting?.id };
  expect(await client.request("chat.send", same)).toEqual({ runId: waiting?.id, status: "in_flight" });
  expect(await client.request("agent", same)).toMatchObject({ runId: waiting?.id, status: "in_flight" });
  expect(await client.request("sessions.describe", { key: "s" })).toMatchObject({
    session: { hasActiveRun: true, activeRunIds: ["r1", expect.stringMatching(/^chatcmpl-/)] },
  });
  go("r1");
  expect(await (await next).json()).toMatchObject({ choices: [{ message: { content: "re: and then" } }] });
  expect(turns.map(({ messages }) => messages.length)).toEqual([1, 3]);
  const { messages } = await client.request("chat.history", { sessionKey: "s" });
  expect(messages).toHaveLength(4);
});

test("a reader over HTTP who does not read holds its agent up, whoever looks on", async () => {
  let pulls = 0;
  const agent = agentOf(async function* () {
    for (; pulls < 1024 * 1024; pulls++) {
      await nextLoop();
      yield KIB;
    }
  });
  const config = { gateway: { http: { slowClientMs: 300 } } };
  const door = await startGateway({ agents: [agent], config });
  // Of so much text it may miss pieces.
  const client = await connectSocket(door.url, { token: TOKEN });
  const reader = openRaw(door, hi({ stream: true }));
  await reader.response;
  const end = await client.untilEvent("chat", ({ state }) => state !== "delta");
  expect(end).toMatchObject({ state: "aborted" });
  expect(end.message.content[0].text.length).toBeLessThan(SYSTEM_BUFFERS);
  expect(pulls * KIB.length).toBeLessThan(SYSTEM_BUFFERS);
});

test("what is done to a session over HTTP is told over the socket", async () => {
  const { url, request } = await startGateway({ agents: [obedient().agent] });
  const client = await connectWatched(url, { token: TOKEN });
  await client.request("sessions.subscribe");
  const path = `/v1/sessions/${encodeURIComponent("agent:main:s")}`;
  const untilChanged = (reason: string) =>
    client.untilEvent("sessions.changed", (changed) => changed.reason === reason);
  await client.request("chat.send", { sessionKey: "s", message: "hi", idempotencyKey: "r1" });
  await client.untilEvent("sessions.changed", ({ phase }) => phase === "end");
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  await fetch(`${url}${path}`, { method: "PATCH", headers, body: JSON.stringify({ title: "A talk" }) });
  expect(await untilChanged("patch")).toMatchObject({ sessionKey: "agent:main:s", session: { label: "A talk" } });
  await request(`${path}/fork`, { body: { key: "other" } });
  expect(await untilChanged("create")).toMatchObject({ sessionKey: "agent:main:other" });
  await request(path, { method: "DELETE" });
  expect(await untilChanged("delete")).toMatchObject({ sessionKey: "agent:main:s", session: null });
});
