import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSocket, type SocketRequestOptions, type SocketRun } from "../../src/socket/index.ts";
import { failureOf, TOKEN } from "../support/client.ts";
import { fakeGateway } from "../support/fake-gateway.ts";
import { settle } from "../support/fake-socket.ts";
import { openReady } from "../support/ready-socket.ts";
import { expectNoUnhandled } from "../support/unhandled.ts";

expectNoUnhandled();
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function connect() {
  const gateway = fakeGateway();
  gateway.flow();
  const socket = createSocket({ baseUrl: "http://gateway.test", token: TOKEN, WebSocket: gateway.WebSocket });
  return { gateway, socket };
}

async function start(options?: SocketRequestOptions) {
  const { gateway, socket } = connect();
  const run = await socket.send("main", "hi", options);
  return { gateway, socket, run };
}

/** Reads a run from here on, in a loop. */
function read(run: SocketRun) {
  const pieces: string[] = [];
  const end = (async () => {
    for await (const piece of run) pieces.push(piece);
  })();
  return { pieces, end };
}

test("the text as it comes, and what it came to", async () => {
  const { gateway, run } = await start();
  expect([run.sessionKey, run.runId]).toEqual(["main", expect.stringMatching(/^\d+-/)]);
  const { pieces, end } = read(run);
  for (const piece of ["Hel", "lo", "", " there"]) {
    gateway.say(piece);
    await settle();
  }
  expect(pieces).toEqual(["Hel", "lo", " there"]);
  expect(run.text).toBe("Hello there");
  gateway.end("final");
  await end;
  expect(await run.done()).toMatchObject({ text: "Hello there", stopReason: "stop", message: { role: "assistant" } });
  const again = read(run);
  await again.end;
  expect(again.pieces).toEqual(["Hello there"]);
  expect(await run.abort()).toBe(false);
  expect(gateway.starts).toBe(1);
});

test("what is sent", async () => {
  const { socket, first } = await openReady();
  const params = { sessionKey: "main", message: "hi", thinking: "high", timeoutMs: 5, attachments: [{ content: "x" }] };
  const sending = socket.send({ ...params, idempotencyKey: "mine", agentId: "other" });
  await settle();
  expect(first.last().params).toEqual({ ...params, idempotencyKey: "mine", agentId: "other" });
  first.answer({ runId: "mine", status: "started" });
  const run = await sending;
  void run.abort().catch(() => {});
  await settle();
  expect(first.last().params).toEqual({ sessionKey: "main", agentId: "other", runId: "mine" });
  expect(await failureOf(socket.send({ ...params, idempotencyKey: "é" }))).toMatchObject({ name: "OpenClawError" });
});

test("a refusal is one of `send`", async () => {
  const { socket, first } = await openReady();
  const refused = failureOf(socket.send("main", ""));
  await settle();
  first.refuse({ code: "INVALID_REQUEST", message: "message or attachment required" });
  expect(await refused).toMatchObject({ name: "SocketError", message: "message or attachment required" });
});

test("an answer without words", async () => {
  const { socket, first } = await openReady();
  const sending = socket.send({ sessionKey: "main", message: "hi", idempotencyKey: "mine" });
  await settle();
  first.answer({ runId: "mine", status: "started" });
  const run = await sending;
  first.event("chat", { runId: "other", state: "final", stopReason: "stop", message: { content: "not mine" } });
  first.event("chat", { runId: "mine", state: "final", stopReason: "stop" });
  expect(await run.done()).toEqual({ text: "", message: undefined, stopReason: "stop", usage: undefined });
});

test("text that is written anew comes whole", async () => {
  const { socket, first } = await openReady();
  const sending = socket.send({ sessionKey: "main", message: "hi", idempotencyKey: "mine" });
  await settle();
  first.answer({ runId: "mine", status: "started" });
  const { pieces, end } = read(await sending);
  for (const content of ["One", "One two", "Another"]) {
    first.event("chat", { runId: "mine", state: "delta", deltaText: "?", message: { content } });
    await settle();
  }
  first.event("chat", { runId: "mine", state: "final", stopReason: "stop", message: { content: "Another one" } });
  await end;
  expect(pieces).toEqual(["One", " two", "Another", " one"]);
});

test("an answer that ends shorter than it was told stays as it was read", async () => {
  const { socket, first } = await openReady();
  const sending = socket.send({ sessionKey: "main", message: "hi", idempotencyKey: "mine" });
  await settle();
  first.answer({ runId: "mine", status: "started" });
  const run = await sending;
  const { pieces, end } = read(run);
  first.event("chat", { runId: "mine", state: "delta", message: { content: "Hello world" } });
  await settle();
  first.event("chat", { runId: "mine", state: "final", message: { content: "Hello" } });
  await end;
  expect([pieces, run.text]).toEqual([["Hello world"], "Hello world"]);
  expect(await run.done()).toMatchObject({ text: "Hello world", message: { content: "Hello" } });
});

test("a run that fails has the gateway's words, and those it had said", async () => {
  const { gateway, run } = await start();
  const { pieces, end } = read(run);
  gateway.say("half");
  gateway.end("error");
  expect(await failureOf(end)).toMatchObject({ name: "RunError", message: "It failed.", kind: "unknown" });
  expect(await failureOf(run.done())).toMatchObject({ name: "RunError" });
  expect(pieces.join("")).toBe("half");
});

test("`abort()` ends it at the gateway", async () => {
  const { gateway, run } = await start();
  gateway.say("half");
  expect(await run.abort()).toBe(true);
  expect(await failureOf(run.done())).toMatchObject({ name: "AbortError" });
  expect(run.text).toBe("half");
});

test("`abort()` of a run whose end was lost finds it out", async () => {
  const gateway = fakeGateway();
  const socket = createSocket({ baseUrl: "http://gateway.test", WebSocket: gateway.WebSocket });
  gateway.flow();
  const run = await socket.send("main", "hi");
  const [connection] = gateway.sockets;
  if (connection) connection.receive = () => {};
  gateway.say("all");
  gateway.end("final");
  await settle();
  if (connection) Reflect.deleteProperty(connection, "receive");
  expect(await run.abort()).toBe(false);
  expect(await run.done()).toMatchObject({ text: "all" });
});

test("the signal ends it at the gateway, and here at once", async () => {
  const leaving = new AbortController();
  const { gateway, socket, run } = await start({ signal: leaving.signal });
  gateway.say("half");
  await settle();
  leaving.abort("enough");
  expect(await failureOf(run.done())).toMatchObject({ name: "AbortError", cause: "enough" });
  await settle();
  expect((await socket.history("main")).inFlightRun).toBeUndefined();
  expect(gateway.messages.at(-1)).toMatchObject({ __openclaw: { runId: run.runId } });
});

test("a signal that is aborted before sends nothing", async () => {
  const { gateway, socket } = connect();
  await socket.connect();
  const signal = AbortSignal.abort();
  expect(await failureOf(socket.send("main", "hi", { signal }))).toMatchObject({ name: "AbortError" });
  await settle();
  expect(gateway.starts).toBe(0);
});

test("to leave the loop ends nothing", async () => {
  const { gateway, run } = await start();
  gateway.say("one");
  await settle();
  for await (const piece of run) {
    expect(piece).toBe("one");
    break;
  }
  gateway.say(" two");
  gateway.end("final");
  expect((await run.done()).text).toBe("one two");
});

test("the same key again is the same run", async () => {
  const { gateway, socket } = connect();
  const params = { sessionKey: "main", message: "hi", idempotencyKey: "mine" };
  const first = await socket.send(params);
  gateway.say("one");
  await settle();
  const second = await socket.send(params);
  const { pieces, end } = read(second);
  await settle();
  gateway.say(" two");
  gateway.end("final");
  await end;
  expect(pieces.join("")).toBe("one two");
  expect((await first.done()).text).toBe("one two");
  expect(await (await socket.send(params)).done()).toMatchObject({ text: "one two", stopReason: "stop" });
  expect(gateway.starts).toBe(1);
});

test("what was said while the connection was away is there with it", async () => {
  const { gateway, run } = await start();
  const { pieces } = read(run);
  gateway.say("one");
  await settle();
  gateway.cut();
  gateway.say(" two");
  await settle(1000);
  expect(pieces).toEqual(["one", " two"]);
  gateway.say(" three");
  await settle();
  expect(pieces).toEqual(["one", " two", " three"]);
});

test.each(["final", "aborted", "error"] as const)("a run that is %s while the connection is away", async (state) => {
  const { gateway, run } = await start();
  const { pieces, end } = read(run);
  const ended = Promise.allSettled([end, run.done()]);
  gateway.say("one");
  await settle();
  gateway.cut();
  gateway.say(" two");
  gateway.end(state);
  await settle(1000);
  const [loop, done] = await ended;
  expect(pieces).toEqual(["one", " two"]);
  expect(loop.status).toBe(state === "final" ? "fulfilled" : "rejected");
  if (state === "final") expect(done).toMatchObject({ value: { text: "one two", stopReason: "stop" } });
  else expect(done).toMatchObject({ reason: { name: state === "error" ? "RunError" : "AbortError" } });
});

test("a run that the gateway does not know any more is not begun again", async () => {
  const { gateway, run } = await start();
  gateway.say("one");
  await settle();
  gateway.cut(1012);
  gateway.forget();
  await settle(1000);
  expect(await failureOf(run.done())).toMatchObject({ name: "StreamTruncatedError" });
  expect(run.text).toBe("one");
  expect(gateway.starts).toBe(1);
});

test("an answer that was kept is found when the gateway remembers no run, one that was cut off is none", async () => {
  for (const stopReason of ["stop", "aborted"]) {
    const { gateway, run } = await start();
    gateway.cut(1012);
    gateway.forget();
    gateway.keep({ role: "assistant", content: "all of it", stopReason, __openclaw: { runId: run.runId } } as object);
    await settle(1000);
    const done = run.done().then(
      ({ text }) => text,
      (error: Error) => error.name,
    );
    expect(await done).toBe(stopReason === "stop" ? "all of it" : "StreamTruncatedError");
    expect(run.text).toBe("all of it");
  }
});

test("who may chat and not read has its runs all the same", async () => {
  const { gateway, run } = await start();
  gateway.forbidden.add("chat.history");
  gateway.say("one");
  await settle();
  gateway.cut();
  await settle(1000);
  gateway.say(" two");
  await settle();
  expect(run.text).toBe("one two");
  gateway.cut();
  gateway.say(" three");
  gateway.end("final");
  await settle(1000);
  expect(await run.done()).toMatchObject({ text: "one two three", message: undefined, stopReason: "stop" });
});

test("what may pass is asked again", async () => {
  const { run, second } = await reconnect();
  second.refuse({ code: "UNAVAILABLE", message: "busy", retryable: true }, "chat.history");
  await settle(31_000);
  const asked = second.requests.map(({ method }) => method);
  expect(asked).toEqual(["connect", "chat.history", "chat.history"]);
  await settle(1000);
  expect(second.last("chat.history").id).toBe("4");
  second.refuse({ code: "UNAVAILABLE", message: "broken" }, "chat.history");
  expect(await failureOf(run.done())).toMatchObject({ name: "SocketError", message: "broken" });
});

/** A run whose connection broke, and the next one. */
async function reconnect() {
  const { socket, sockets, first } = await openReady();
  const sending = socket.send({ sessionKey: "main", message: "hi", idempotencyKey: "mine" });
  await settle();
  first.answer({ runId: "mine", status: "started" });
  const run = await sending;
  first.cut();
  await settle(1000);
  const [, second = first] = sockets;
  second.accept();
  await settle();
  return { run, second };
}

/** What the gateway says of it there. */
async function returnTo(history: object) {
  const { run, second } = await reconnect();
  expect(second.last("chat.history").params).toEqual({ sessionKey: "main", limit: 200 });
  second.answer({ messages: [], hasMore: false, ...history }, "chat.history");
  await settle();
  return { run, second };
}

test("a run that waits for another one is not over", async () => {
  const inFlightRun = { runId: "other", text: "" };
  const { run, second } = await returnTo({ inFlightRun, sessionInfo: { activeRunIds: ["other", "mine"] } });
  expect(second.last().method).toBe("chat.history");
  second.event("chat", { runId: "mine", state: "final", message: { content: "Hello" } });
  expect((await run.done()).text).toBe("Hello");
});

test("a run that was ended says so, whatever the gateway's words", async () => {
  const { run, second } = await returnTo({});
  second.answer({ runId: "mine", status: "error", error: "cancelled", stopReason: "rpc" }, "agent.wait");
  expect(await failureOf(run.done())).toMatchObject({ name: "AbortError" });
});

test("a gateway that lets nobody in any more ends it", async () => {
  const { gateway, run } = await start();
  gateway.cut(4001);
  expect(await failureOf(run.done())).toMatchObject({ name: "ConnectionError" });
});

test("so does closing, without a word to the gateway", async () => {
  const { gateway, socket, run } = await start();
  const { end } = read(run);
  const left = failureOf(end);
  socket.close();
  expect(await left).toMatchObject({ name: "AbortError" });
  expect(gateway.sockets[0]?.last().method).toBe("chat.send");
});

test("what nobody asks after is nobody's error", async () => {
  const { gateway } = await start();
  gateway.end("error");
  const { socket } = await start();
  socket.close();
  await settle(60_000);
});
