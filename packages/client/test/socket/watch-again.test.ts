import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { WatchedSession } from "../../src/socket/index.ts";
import { type FakeSocket, settle } from "../support/fake-socket.ts";
import { openReady } from "../support/ready-socket.ts";
import { expectNoUnhandled } from "../support/unhandled.ts";
import { at, KEY, texts, watch } from "../support/watched.ts";

expectNoUnhandled();
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const methods = ({ requests }: FakeSocket) => requests.map(({ method }) => method);
const LATER = { code: "UNAVAILABLE", message: "Later.", retryable: true, retryAfterMs: 60_000 };

test("what is done to a session is asked for on every connection", async () => {
  const { sockets, first } = await watch();
  first.cut();
  await settle(1000);
  sockets[1]?.accept();
  await settle();
  for (const one of sockets) expect(methods(one)).toContain("sessions.subscribe");
});

test("a watch that hears of nothing that is done is none", async () => {
  const { socket, first } = await openReady();
  first.isMute = true;
  const seen: WatchedSession[] = [];
  socket.watch("main", (session) => seen.push(session));
  await settle();
  first.answer({ subscribed: true, key: KEY });
  first.refuse({ ...LATER, retryAfterMs: 1000 }, "sessions.subscribe");
  await settle();
  expect(methods(first)).not.toContain("chat.history");
  first.isMute = false;
  await settle(1000);
  first.answer({ subscribed: true, key: KEY }, "sessions.messages.subscribe");
  await settle();
  first.answer({ messages: [at(1, "one")], hasMore: false }, "chat.history");
  await settle();
  expect(seen).toMatchObject([{ isLive: true, messages: [{ content: "one" }] }]);
});

test("a message after a hole is not shown before what is between", async () => {
  const { last, tell, read } = await watch([at(1, "one")]);
  tell(at(3, "three"));
  expect(texts(last())).toEqual(["one"]);
  await settle();
  await read({ messages: [at(1, "one"), at(2, "two"), at(3, "three")] });
  expect(texts(last())).toEqual(["one", "two", "three"]);
});

test("nothing is added to what could not be read", async () => {
  const { last, first, tell, read } = await watch([at(1, "one")]);
  first.event("sessions.changed", { sessionKey: KEY, reason: "reset" });
  await settle();
  first.answer({ subscribed: true, key: KEY }, "sessions.messages.subscribe");
  await settle();
  first.refuse({ code: "UNAVAILABLE", message: "broken" }, "chat.history");
  await settle();
  expect(last()).toMatchObject({ isLive: false, error: { message: "broken" } });
  tell(at(2, "of another branch"));
  await settle();
  expect(texts(last())).toEqual(["one"]);
  await read({ messages: [at(1, "first"), at(2, "second")] });
  expect(texts(last())).toEqual(["first", "second"]);
  expect(last()).toMatchObject({ isLive: true, error: undefined });
});

test("while it waits to be read again it goes on, and says that it is not up to date", async () => {
  const { last, first, chat, tell } = await watch([at(1, "one")]);
  first.event("sessions.changed", { sessionKey: KEY, reason: "patch" });
  await settle();
  chat({ state: "delta", message: { content: "a" } });
  expect(last()?.running).toBeUndefined();
  first.refuse(LATER);
  await settle();
  expect(last()).toMatchObject({ isLive: false, error: undefined, running: { text: "a" } });
  chat({ state: "delta", message: { content: "ab" } });
  tell(at(2, "two"));
  expect(last()).toMatchObject({ running: { text: "ab" } });
  expect(texts(last())).toEqual(["one", "two"]);
});

/** A gateway that does things in their order, and answers later. */
function slow(first: FakeSocket) {
  const subscribed = new Set<string>();
  first.onRequest = ({ id, method, params }) => {
    const key = `agent:main:${params.key?.split(":").at(-1)}`;
    if (method === "sessions.messages.subscribe") subscribed.add(key);
    if (method === "sessions.messages.unsubscribe") subscribed.delete(key);
    const payload = method === "chat.history" ? { messages: [], hasMore: false } : { subscribed: true, key };
    setTimeout(() => first.receive({ type: "res", id, ok: true, payload }), 50);
  };
  return subscribed;
}

test.each([
  ["is left before it is there", 10, "stop first"],
  ["is left", 1000, "stop first"],
  ["is left by the first one", 1000, "watch first"],
])("a session that %s and watched again is heard", async (_, afterMs, order) => {
  const { socket, first } = await openReady();
  const subscribed = slow(first);
  const stop = socket.watch("main", () => {});
  await settle(afterMs);
  if (order === "stop first") stop();
  let last: WatchedSession | undefined;
  socket.watch("main", (session) => {
    last = session;
  });
  await settle(10);
  stop();
  await settle(1000);
  expect(subscribed).toEqual(new Set([KEY]));
  expect(last?.isLive).toBe(true);
  first.event("session.message", { sessionKey: KEY, message: at(1, "one") });
  expect(texts(last)).toEqual(["one"]);
});

test("so is one whose answers come in another order", async () => {
  const { socket, first, stop } = await watch();
  socket.watch("main", () => {});
  await settle();
  const subscribing = first.last("sessions.messages.subscribe");
  stop();
  await settle();
  first.answer({ subscribed: false, key: KEY }, "sessions.messages.unsubscribe");
  await settle();
  first.receive({ type: "res", id: subscribing.id, ok: true, payload: { subscribed: true, key: KEY } });
  await settle();
  first.answer({ messages: [], hasMore: false }, "chat.history");
  await settle();
  expect(methods(first).lastIndexOf("sessions.messages.subscribe")).toBeGreaterThan(
    methods(first).indexOf("sessions.messages.unsubscribe"),
  );
});

test("a session that is left for another one is not told of any more", async () => {
  const { socket, first } = await openReady();
  const subscribed = slow(first);
  const stop = socket.watch("main", () => {});
  await settle(1000);
  socket.watch("other", () => {});
  stop();
  await settle(1000);
  expect(subscribed).toEqual(new Set(["agent:main:other"]));
});

test.each(["stop", "close"] as const)("`%s` ends the wait to read it again", async (how) => {
  const { socket, sockets, first, stop } = await watch();
  first.event("sessions.changed", { sessionKey: KEY, reason: "patch" });
  await settle();
  // Longer than a timer can be.
  first.refuse({ ...LATER, retryAfterMs: 2 ** 40 });
  await settle(60_000);
  expect(methods(first).filter((name) => name === "sessions.messages.subscribe")).toHaveLength(2);
  if (how === "stop") stop();
  socket.close();
  await settle();
  expect(vi.getTimerCount()).toBe(0);
  expect(sockets).toHaveLength(1);
});
