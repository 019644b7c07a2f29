import { HEADERS, type SessionBranch } from "@openclaw/protocol";
import { expect, onTestFinished, test } from "vitest";
import type { AgentTurn } from "../../src/index.ts";
import { agentOf } from "../support/agents.ts";
import { ask, askStream, type Door, hi } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { pathOf } from "../support/sessions.ts";
import { connectSocket } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

type ListOf<Item> = { data: Item[] };

const KEY = "agent:main:trip";
const IN_SESSION = { [HEADERS.sessionKey]: KEY };

async function connect(url: string) {
  const client = await connectSocket(url, { token: TOKEN });
  onTestFinished(() => client.close());
  return client;
}

/** A gateway whose agent keeps what it was asked with. */
async function start() {
  const turns: AgentTurn[] = [];
  const agent = agentOf(async function* (turn) {
    turns.push(turn);
    yield `answer ${turns.length}`;
  });
  const started = await startGateway({ agents: [agent] });
  return { ...started, turns, client: await connect(started.url) };
}

const say = (door: Door, text: string, more: object = {}, headers: Record<string, string> = {}) =>
  ask(door, hi({ messages: [{ role: "user", content: text }], ...more }), { ...IN_SESSION, ...headers });

/** What the agent saw of the talk. */
const talkOf = (turn: AgentTurn | undefined) => turn?.messages.map(({ content }) => content);

test("a session's settings are those of every run in it, unless the request says otherwise", async () => {
  const { turns, client, ...door } = await start();
  const last = () => [turns.at(-1)?.model, turns.at(-1)?.params.reasoning_effort];
  await say(door, "1");
  expect(last()).toEqual([undefined, undefined]);
  await client.request("sessions.patch", { key: KEY, model: "a/b", thinkingLevel: "high" });
  await say(door, "2");
  expect(last()).toEqual(["a/b", "high"]);
  await say(door, "3", { reasoning_effort: "low" });
  expect(last()).toEqual(["a/b", "low"]);
  await say(door, "4", {}, { [HEADERS.model]: "c/d" });
  expect(last()).toEqual(["c/d", "high"]);
  await client.request("chat.send", { sessionKey: KEY, message: "5", idempotencyKey: "run-5" });
  await client.untilEvent("chat", ({ runId, state }) => runId === "run-5" && state === "final");
  expect(last()).toEqual(["a/b", "high"]);
  await say(door, "6", {}, { [HEADERS.sessionKey]: "agent:main:other" });
  expect(last()).toEqual([undefined, undefined]);
  await client.request("sessions.patch", { key: KEY, model: null, thinkingLevel: "off" });
  await say(door, "7");
  expect(last()).toEqual([undefined, "none"]);
  await client.request("sessions.patch", { key: KEY, thinkingLevel: null });
  await say(door, "8");
  expect(last()).toEqual([undefined, undefined]);
});

test("a provider is asked with the model and the effort of the session", async () => {
  const { provider, url, ...door } = await startWithProvider({
    script(exchange) {
      void exchange.open().say("ok");
      exchange.finish();
    },
    agent: { params: { reasoning_effort: "minimal" } },
  });
  const client = await connect(url);
  await client.request("sessions.patch", { key: KEY, model: "stand/other", thinkingLevel: "high" });
  await askStream(door, hi(), IN_SESSION);
  expect(provider.exchanges.at(-1)?.json).toMatchObject({ model: "other", reasoning_effort: "high" });
  // One that is not there any more is named, and the session can be set to another.
  await client.request("sessions.patch", { key: KEY, model: "gone/model" });
  const { status, json } = await ask(door, hi(), IN_SESSION);
  expect([status, json.error.code, json.error.param]).toEqual([404, "model_not_found", null]);
  expect(json.error.message).toBe(
    'This session is set to the model "gone/model", which is not here. Set it to another.',
  );
  const asked = await ask(door, hi(), { ...IN_SESSION, [HEADERS.model]: "away/model" });
  expect([asked.status, asked.json.error.param]).toEqual([404, HEADERS.model]);
  await client.request("sessions.patch", { key: KEY, model: null });
  expect((await askStream(door, hi(), IN_SESSION)).error).toBeUndefined();
  expect(provider.exchanges.at(-1)?.json).toMatchObject({ model: "in", reasoning_effort: "high" });
});

test("after a reset nothing of before is seen, and nothing of it is lost", async () => {
  const { turns, client, ...door } = await start();
  await client.request("sessions.subscribe");
  await say(door, "hi");
  await say(door, "more");
  expect(talkOf(turns.at(-1))).toEqual(["hi", "answer 1", "more"]);
  const reset = await client.request("sessions.reset", { key: "trip", reason: "new" });
  expect(reset).toMatchObject({ ok: true, key: KEY, entry: { sessionId: expect.any(String) } });
  expect(await client.untilEvent("sessions.changed", ({ reason }) => reason)).toMatchObject({ reason: "reset" });
  expect(await client.request("chat.history", { sessionKey: KEY })).toMatchObject({ messages: [], totalMessages: 0 });
  // The same words as before, too: another door, the same talk.
  await say(door, "hi");
  expect(talkOf(turns.at(-1))).toEqual(["hi"]);
  await say(door, "and");
  expect(talkOf(turns.at(-1))).toEqual(["hi", "answer 3", "and"]);
  const { messages } = await client.request("chat.history", { sessionKey: KEY });
  expect(messages.map(({ __openclaw }: { __openclaw: { seq: number } }) => __openclaw.seq)).toEqual([1, 2, 3, 4]);
  const branches = (await (await door.request(pathOf(KEY, "/branches"))).json()) as ListOf<SessionBranch>;
  expect(branches.data.map((branch) => [branch.messages, branch.is_head])).toEqual([
    [4, true],
    [4, false],
  ]);
  await door.request(pathOf(KEY, "/head"), { body: { id: branches.data[1]?.id } });
  await say(door, "again");
  expect(talkOf(turns.at(-1))).toEqual(["hi", "answer 1", "more", "answer 2", "again"]);
});

test("after a reset a session that history came to begins anew, too", async () => {
  const { turns, client, ...door } = await start();
  const messages = [
    { role: "user", content: "hi" },
    { role: "assistant", content: "hello" },
    { role: "user", content: "more" },
  ];
  await ask(door, hi({ messages }), IN_SESSION);
  await client.request("sessions.reset", { key: KEY });
  await say(door, "hi");
  expect(talkOf(turns.at(-1))).toEqual(["hi"]);
  const told = await client.request("chat.history", { sessionKey: KEY });
  expect(told.messages.map(({ role, content }: { role: string; content: unknown }) => [role, content])).toEqual([
    ["user", "hi"],
    ["assistant", [{ type: "text", text: "answer 2" }]],
  ]);
  // Whoever tells the whole talk of before goes on with it.
  await ask(door, hi({ messages: [...messages, { role: "assistant", content: "answer 1" }, messages[0]] }), IN_SESSION);
  expect(talkOf(turns.at(-1))).toEqual(["hi", "hello", "more", "answer 1", "hi"]);
});

test("what is not there yet can be reset", async () => {
  const { turns, client, ...door } = await start();
  expect(await client.request("sessions.reset", { key: KEY })).toMatchObject({ ok: true, key: KEY });
  expect((await client.request("sessions.describe", { key: KEY })).session).toMatchObject({ key: KEY });
  await say(door, "hi");
  expect(talkOf(turns.at(-1))).toEqual(["hi"]);
});
