import { HEADERS } from "@openclaw/protocol";
import { SOCKET_EVENTS } from "@openclaw/protocol/socket";
import { expect, onTestFinished, test } from "vitest";
import { agentOf, stepper } from "../support/agents.ts";
import { ask, type Door, hi } from "../support/chat.ts";
import { authWith, bearer, tokenOf } from "../support/keys.ts";
import { connectSocket, type SocketClient, type SocketClientOptions } from "../support/socket-client.ts";
import { type StartOptions, startGateway, TOKEN } from "../support/start-gateway.ts";

const KEY = "agent:main:main";

async function start(options: StartOptions = {}) {
  const agent = agentOf(async function* ({ messages }) {
    yield `re: ${messages.at(-1)?.content}`;
  });
  const started = await startGateway({ agents: [agent], ...options });
  const connect = async (more: SocketClientOptions = {}) => {
    const client = await connectSocket(started.url, { token: TOKEN, ...more });
    onTestFinished(() => client.close());
    return client;
  };
  return { ...started, connect, client: await connect() };
}

/** Says something over HTTP. */
const say = (door: Door, text: string, headers: Record<string, string> = {}) =>
  ask(door, hi({ messages: [{ role: "user", content: text }] }), { [HEADERS.sessionKey]: KEY, ...headers });

type Told = { role: string; content: string | { text: string }[]; __openclaw: { seq: number } };
const wordsOf = ({ content }: Told) => (typeof content === "string" ? content : content.map(({ text }) => text).join());
const textsOf = (messages: Told[]) => messages.map(wordsOf);

test("the history is the newest of a talk, oldest first, and pages go back in it", async () => {
  const { client, ...door } = await start();
  for (const text of ["1", "2", "3"]) await say(door, text);
  const history = (params: object) => client.request("chat.history", { sessionKey: "main", ...params });
  const whole = await history({});
  expect(whole).toMatchObject({
    sessionKey: "main",
    hasMore: false,
    totalMessages: 6,
    pendingInputs: { items: [], total: 0 },
    sessionInfo: { key: KEY, hasActiveRun: false },
  });
  expect(whole).not.toHaveProperty("nextOffset");
  expect(whole).not.toHaveProperty("inFlightRun");
  expect(textsOf(whole.messages)).toEqual(["1", "re: 1", "2", "re: 2", "3", "re: 3"]);
  expect(whole.messages.map(({ __openclaw }: Told) => __openclaw.seq)).toEqual([1, 2, 3, 4, 5, 6]);
  const newest = await history({ limit: 4 });
  expect([textsOf(newest.messages), newest.hasMore, newest.nextOffset]).toEqual([
    ["2", "re: 2", "3", "re: 3"],
    true,
    4,
  ]);
  const older = await history({ limit: 4, offset: newest.nextOffset });
  expect([textsOf(older.messages), older.hasMore]).toEqual([["1", "re: 1"], false]);
  expect(older.messages[0].__openclaw.seq).toBe(1);
  expect((await history({ offset: 100 })).messages).toEqual([]);
  expect(textsOf((await history({ limit: 1, maxChars: 3 })).messages)).toEqual(["re:\n...(truncated)..."]);
});

test("the history of what never was is empty, and of nobody else's", async () => {
  const auth = authWith({ other: { scopes: ["chat", "sessions"] } });
  const { connect, client, ...door } = await start({ config: { gateway: { auth } } });
  await say(door, "mine");
  const other = await connect({ token: tokenOf("other") });
  for (const [who, sessionKey] of [[client, "nothing"] as const, [other, "main"] as const]) {
    const empty = await who.request("chat.history", { sessionKey });
    expect(empty).toMatchObject({ messages: [], totalMessages: 0, hasMore: false, sessionInfo: { updatedAt: null } });
    expect(empty).not.toHaveProperty("sessionId");
  }
  const { error } = await client.ask("chat.history", { sessionKey: "agent::x" });
  expect(error).toMatchObject({ code: "INVALID_REQUEST" });
  expect(error?.message).toContain('malformed session key "agent::x"');
});

test("the history says what is being answered, and how far it is", async () => {
  const { agent, say: answer, end } = stepper();
  const { client, ...door } = await start({ agents: [agent] });
  const asked = say(door, "hi");
  answer("half ");
  await client.untilEvent("chat", ({ state }) => state === "delta");
  const waiting = say(door, "next");
  const during = await client.request("chat.history", { sessionKey: "main" });
  expect(textsOf(during.messages)).toEqual(["hi"]);
  expect(during.inFlightRun).toEqual({ runId: expect.stringMatching(/^chatcmpl-/), text: "half " });
  expect(during.sessionInfo.activeRunIds[0]).toEqual(during.inFlightRun.runId);
  end();
  await asked;
  answer("done");
  await client.untilEvent("chat", ({ message }) => message && wordsOf(message) === "done");
  const next = await client.request("chat.history", { sessionKey: "main" });
  expect(textsOf(next.messages)).toEqual(["hi", "half ", "next"]);
  expect(next.inFlightRun.text).toBe("done");
  end();
  await waiting;
  const after = await client.request("chat.history", { sessionKey: "main" });
  expect(textsOf(after.messages)).toEqual(["hi", "half ", "next", "done"]);
  expect(after).not.toHaveProperty("inFlightRun");
});

test("what is said in a session is told to who reads along, whichever door it came through", async () => {
  const { connect, client, ...door } = await start();
  await client.request("sessions.subscribe");
  const near = await connect({ caps: ["session-scoped-events"] });
  expect(await near.request("sessions.messages.subscribe", { key: "main" })).toEqual({ subscribed: true, key: KEY });
  const silent = await connect();
  const scoped = await connect({ caps: ["session-scoped-events"] });
  await scoped.request("sessions.subscribe");
  await scoped.request("sessions.messages.subscribe", { key: "other" });
  await say(door, "1");
  await say(door, "2");
  const readsAlong = async (reader: SocketClient) => {
    await reader.untilEvent("session.message", ({ messageSeq }) => messageSeq === 4);
    const told = reader.payloads("session.message");
    for (const payload of told) expect(SOCKET_EVENTS["session.message"].parse(payload)).toEqual(payload);
    expect(textsOf(told.map(({ message }) => message))).toEqual(["1", "re: 1", "2", "re: 2"]);
    expect(told.map(({ messageSeq }) => messageSeq)).toEqual([1, 2, 3, 4]);
    for (const { message, messageId, session } of told) {
      expect(message.__openclaw.id).toBe(messageId);
      expect(session.key).toBe(KEY);
    }
    return told;
  };
  await readsAlong(client);
  const told = await readsAlong(near);
  // A question is told before its run begins, an answer before its end is.
  const order = client.events
    .filter(
      ({ event, payload }) => event === "session.message" || (payload as { stream?: string }).stream === "lifecycle",
    )
    .map(({ event, payload }) => (event === "agent" ? (payload as { data: { phase: string } }).data.phase : "message"));
  expect(order.slice(0, 4)).toEqual(["message", "start", "message", "end"]);
  const { messages } = await client.request("chat.history", { sessionKey: "main" });
  expect(messages).toEqual(told.map(({ message }) => message));
  for (const [other, names] of [
    [silent, []],
    [scoped, ["sessions.changed"]],
  ] as const) {
    await other.request("health");
    expect(other.events.map(({ event }) => event).filter((name) => /^session/.test(name))).toEqual(
      expect.arrayContaining([...names]),
    );
    expect(other.payloads("session.message")).toEqual([]);
  }
  const { subscribed } = await near.request("sessions.messages.unsubscribe", { key: KEY });
  expect(subscribed).toBe(false);
  const before = near.events.length;
  await say(door, "3");
  await near.request("health");
  expect(near.events.slice(before).map(({ event }) => event)).toEqual([]);
});

test("nobody hears of another owner's sessions, but for who may do everything", async () => {
  const auth = authWith({ one: { scopes: ["chat", "sessions"] }, two: { scopes: ["chat", "sessions"] } });
  const { connect, client: operator, ...door } = await start({ config: { gateway: { auth } } });
  const [one, two] = await Promise.all(["one", "two"].map((id) => connect({ token: tokenOf(id) })));
  for (const client of [operator, one, two]) await client?.request("sessions.subscribe");
  await say(door, "secret", bearer("one"));
  const told = await operator.untilEvent("session.message");
  expect(told).toMatchObject({ sessionKey: KEY, owner: "one", messageSeq: 1 });
  expect(await one?.untilEvent("session.message")).not.toHaveProperty("owner");
  await two?.request("health");
  expect(two?.events.filter(({ event }) => event !== "connect.challenge")).toEqual([]);
});

test("words are put in at the head, and told as an answer", async () => {
  const { client, ...door } = await start();
  await client.request("sessions.subscribe");
  const missing = await client.ask("chat.inject", { sessionKey: "main", message: "x" });
  expect(missing.error).toMatchObject({ code: "INVALID_REQUEST", message: `No session found: ${KEY}` });
  await say(door, "hi");
  const { messageId } = await client.request("chat.inject", {
    sessionKey: "main",
    message: "by the way",
    label: "note",
  });
  const runId = `inject-${messageId}`;
  const final = await client.untilEvent("chat", (chat) => chat.runId === runId);
  expect(SOCKET_EVENTS.chat.parse(final)).toEqual(final);
  expect(final).toMatchObject({ sessionKey: KEY, agentId: "main", seq: 0, state: "final", stopReason: "stop" });
  expect(wordsOf(final.message)).toBe("[note]\n\nby the way");
  const told = await client.untilEvent("session.message", (payload) => payload.messageId === messageId);
  expect(told).toMatchObject({ messageSeq: 3, message: { role: "assistant", __openclaw: { runId } } });
  expect(await client.untilEvent("sessions.changed", ({ reason }) => reason === "inject")).toMatchObject({ runId });
  await client.request("chat.inject", { sessionKey: "main", message: "plain" });
  const { messages } = await client.request("chat.history", { sessionKey: "main" });
  expect(textsOf(messages)).toEqual(["hi", "re: hi", "[note]\n\nby the way", "plain"]);
  const refusal = await client.ask("chat.inject", { sessionKey: "main", message: "a\u0000b" });
  expect(refusal.error?.message).toContain("invalid chat.inject params");
});

test("words that are put in wait for the run under way", async () => {
  const { agent, say: answer, end, started } = stepper();
  const { client, ...door } = await start({ agents: [agent] });
  const asked = say(door, "hi");
  await started;
  const injected = client.request("chat.inject", { sessionKey: "main", message: "later" });
  // Whatever was asked before it has begun to wait by now.
  await client.request("health");
  answer("hello");
  end();
  await Promise.all([asked, injected]);
  const { messages } = await client.request("chat.history", { sessionKey: "main" });
  expect(textsOf(messages)).toEqual(["hi", "hello", "later"]);
});
