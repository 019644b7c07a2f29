import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSocket, type WatchedSession } from "../../src/socket/index.ts";
import { TOKEN } from "../support/client.ts";
import { fakeGateway } from "../support/fake-gateway.ts";
import { settle } from "../support/fake-socket.ts";
import { openReady } from "../support/ready-socket.ts";
import { expectNoUnhandled } from "../support/unhandled.ts";
import { at, KEY, texts, watch } from "../support/watched.ts";

expectNoUnhandled();
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what there is, and what comes", async () => {
  const { first, seen, tell, chat } = await watch([at(1, "one")], { limit: 5 });
  expect(first.requests.slice(1).map(({ method, params }) => [method, params])).toEqual([
    ["sessions.subscribe", {}],
    ["sessions.messages.subscribe", { key: "main" }],
    ["chat.history", { sessionKey: "main", limit: 5 }],
  ]);
  const answer = { ...at(3, "Hello", "m3", { runId: "run" }), role: "assistant" };
  tell(at(2, "two"));
  first.event("agent", { sessionKey: KEY, runId: "run", stream: "lifecycle", data: { phase: "start" } });
  chat({ state: "delta", deltaText: "He", message: { content: "He" } });
  first.event("chat", { sessionKey: KEY, runId: "side", state: "delta", message: { content: "a title" } });
  first.event("chat", { sessionKey: "agent:main:other", runId: "x", state: "delta", message: { content: "?" } });
  chat({ state: "delta", deltaText: "llo", message: { content: "Hello" } });
  tell(answer);
  chat({ state: "final", message: answer });
  await settle();
  expect(seen.map(({ messages, running }) => [messages.length, running?.text])).toEqual([
    [1, undefined],
    [2, undefined],
    [2, ""],
    [2, "He"],
    [2, "Hello"],
    [3, undefined],
  ]);
  expect(seen.at(-1)).toEqual({
    ...{ sessionKey: KEY, messages: [at(1, "one"), at(2, "two"), answer], hasMore: false },
    ...{ running: undefined, failure: undefined, isLive: true, error: undefined },
  });
  // A page need not draw again what is as it was.
  expect(seen[3]?.messages).toBe(seen[4]?.messages);
  expect(first.requests).toHaveLength(4);
});

test("a run that began before is there with its text", async () => {
  const { last, chat } = await watch([], {}, { inFlightRun: { runId: "run", text: "He" } });
  expect(last()?.running).toEqual({ runId: "run", text: "He" });
  chat({ state: "delta", message: { content: "Hel" } });
  expect(last()?.running?.text).toBe("Hel");
});

test("what comes while it is read is neither lost nor doubled", async () => {
  const { socket, first } = await openReady();
  let last: WatchedSession | undefined;
  socket.watch("main", (session) => {
    last = session;
  });
  await settle();
  first.answer({ subscribed: true, key: KEY });
  await settle();
  for (const message of [at(2, "two"), at(3, "three")]) {
    first.event("session.message", { sessionKey: KEY, message });
  }
  first.answer({ messages: [at(1, "one"), at(2, "two")], hasMore: true }, "chat.history");
  first.event("session.message", { sessionKey: KEY, message: at(4, "four") });
  await settle();
  expect(texts(last)).toEqual(["one", "two", "three", "four"]);
  expect(last?.hasMore).toBe(true);
});

test("a message that changes changes, one of another branch has all read again", async () => {
  const { last, tell, read } = await watch([at(1, "one"), at(2, "two"), at(3, "three")]);
  tell(at(2, "zwei"));
  expect(texts(last())).toEqual(["one", "zwei", "three"]);
  tell(at(2, "deux", "other"));
  await settle();
  await read({ messages: [at(1, "one"), at(2, "deux", "other")] });
  expect(texts(last())).toEqual(["one", "deux"]);
});

test("after a cut it is read again, and what stands before stays", async () => {
  const { last, first, sockets, read, seen } = await watch([at(2, "two"), at(3, "three")], { limit: 2 });
  first.cut();
  expect(last()).toMatchObject({ isLive: false, error: undefined });
  await settle(1000);
  sockets[1]?.accept();
  await settle();
  await read({ messages: [at(3, "three"), at(4, "four")], hasMore: true }, sockets[1]);
  expect(last()).toMatchObject({ isLive: true, hasMore: false });
  expect(texts(last())).toEqual(["two", "three", "four"]);
  expect(seen.map(({ isLive }) => isLive)).toEqual([true, false, true]);
});

test("what was read from a connection that is gone is not up to date", async () => {
  const { socket, first } = await openReady();
  const seen: WatchedSession[] = [];
  socket.watch("main", (session) => seen.push(session));
  await settle();
  first.answer({ subscribed: true, key: KEY });
  await settle();
  first.answer({ messages: [at(1, "one")], hasMore: false });
  first.cut();
  await settle();
  expect(seen.map(({ messages, isLive }) => [messages.length, isLive])).toEqual([[1, false]]);
});

test("after a gap, and after what is done to a session, it is read again", async () => {
  const { last, first, read } = await watch([at(1, "one")]);
  first.event("tick", { ts: 1 }, 9);
  await settle();
  await read({ messages: [at(1, "one"), at(2, "two")] });
  expect(texts(last())).toEqual(["one", "two"]);
  first.event("sessions.changed", { sessionKey: KEY, phase: "start" });
  first.event("sessions.changed", { sessionKey: "agent:main:other", reason: "reset" });
  first.event("sessions.changed", { sessionKey: KEY, reason: "reset" });
  await settle();
  await read({ messages: [] });
  expect(texts(last())).toEqual([]);
  expect(first.requests.filter(({ method }) => method === "chat.history")).toHaveLength(3);
});

test.each([
  [{ state: "error", errorMessage: "Too long.", errorKind: "context_length" }, "Too long.", "context_length"],
  [{ state: "aborted", stopReason: "rpc" }, "The run was aborted.", "aborted"],
])("a run that ends as %j leaves a failure, until the next one begins", async (end, message, kind) => {
  const { last, chat, first, read } = await watch();
  chat({ state: "delta", message: { content: "half" } });
  chat(end);
  expect(last()).toMatchObject({ running: { text: "half" }, failure: { runId: "run", message, kind } });
  await settle();
  await read({ messages: [] });
  expect(last()).toMatchObject({ running: undefined, failure: { message } });
  first.event("agent", { sessionKey: KEY, runId: "next", stream: "lifecycle", data: { phase: "start" } });
  expect(last()).toMatchObject({ running: { runId: "next", text: "" }, failure: undefined });
});

test("a session that cannot be read, or not any more, says why", async () => {
  const { socket, first } = await openReady();
  const seen: WatchedSession[] = [];
  socket.watch("agent::x", (session) => seen.push(session));
  await settle();
  first.refuse({ code: "UNAVAILABLE", message: "Not now.", retryable: true, retryAfterMs: 2000 });
  await settle(2000);
  first.refuse({ code: "INVALID_REQUEST", message: 'malformed session key "agent::x"' });
  await settle();
  expect(seen).toMatchObject([{ isLive: false, error: { name: "SocketError", code: "INVALID_REQUEST" } }]);
  first.cut(4001);
  expect(seen.at(-1)?.error).toMatchObject({ name: "ConnectionError" });
  const late: WatchedSession[] = [];
  socket.watch("main", (session) => late.push(session));
  await settle();
  expect(late.at(-1)?.error).toMatchObject({ name: "ConnectionError" });
});

test("who stops hears no more, and the last one says so to the gateway", async () => {
  const { socket, first, stop, tell, seen, read } = await watch();
  const stopOther = socket.watch(KEY, () => {});
  await settle();
  await read({});
  stop();
  stop();
  tell(at(1, "one"));
  await settle();
  expect(seen).toHaveLength(1);
  const methods = () => first.requests.map(({ method }) => method);
  expect(methods()).not.toContain("sessions.messages.unsubscribe");
  stopOther();
  await settle();
  expect(first.last()).toMatchObject({ method: "sessions.messages.unsubscribe", params: { key: KEY } });
  const stopAtOnce = socket.watch("main", () => expect.fail("told"));
  const count = methods().length;
  stopAtOnce();
  const stopSoon = socket.watch("main", () => expect.fail("told"));
  await settle();
  expect(methods().slice(count)).toEqual(["sessions.subscribe", "sessions.messages.subscribe"]);
  stopSoon();
  first.answer({ subscribed: true, key: KEY });
  await settle();
  expect(methods().slice(count + 2)).toEqual(["sessions.messages.unsubscribe"]);
});

test("one who listens first is connected by it, and sees what another one says", async () => {
  const gateway = fakeGateway();
  gateway.flow();
  const socket = createSocket({ baseUrl: "http://gateway.test", token: TOKEN, WebSocket: gateway.WebSocket });
  const shown: string[] = [];
  socket.watch("main", ({ messages, running }) => shown.push(`${messages.length} ${running?.text ?? "-"}`));
  const run = await socket.send("main", "hi");
  gateway.say("Hel");
  await settle();
  gateway.say("lo");
  gateway.end("final");
  await run.done();
  await settle();
  expect(shown).toEqual(["1 ", "1 Hel", "1 Hello", "2 -"]);
  expect(gateway.sockets[0]?.requests.map(({ method }) => method).sort()).toEqual([
    "chat.history",
    "chat.send",
    "connect",
    "sessions.messages.subscribe",
    "sessions.subscribe",
  ]);
});
