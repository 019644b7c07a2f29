import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isOpenClawError } from "../../src/index.ts";
import { failureOf } from "../support/client.ts";
import { HELLO, settle } from "../support/fake-socket.ts";
import { openReady } from "../support/ready-socket.ts";
import { expectNoUnhandled } from "../support/unhandled.ts";

expectNoUnhandled();
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("answers find their requests, in any order", async () => {
  const { socket, first } = await openReady();
  const history = socket.history("main", { limit: 5 });
  const abort = socket.abort("main");
  const list = socket.request("sessions.list", { limit: 10 });
  await settle();
  expect(first.requests.slice(1).map(({ id, method, params }) => [id, method, params])).toEqual([
    ["2", "chat.history", { sessionKey: "main", limit: 5 }],
    ["3", "chat.abort", { sessionKey: "main" }],
    ["4", "sessions.list", { limit: 10 }],
  ]);
  first.answer("list", "sessions.list");
  first.answer("abort", "chat.abort");
  first.answer("history", "chat.history");
  expect(await Promise.all([history, abort, list])).toEqual(["history", "abort", "list"]);
});

test("a refusal is an error with all that the gateway says", async () => {
  const { socket, first } = await openReady();
  const refused = failureOf(socket.request("sessions.delete", { key: "main" }));
  await settle();
  const error = { code: "UNAVAILABLE", message: "stopping", details: { a: 1 }, retryable: true, retryAfterMs: 5 };
  first.refuse(error);
  const failure = await refused;
  expect(failure).toMatchObject({ name: "SocketError", ...error });
  expect(isOpenClawError(failure, "SocketError")).toBe(true);
});

test("no answer in time, and one that comes too late", async () => {
  const { socket, first } = await openReady();
  const requests = [
    failureOf(socket.request("health")),
    failureOf(socket.request("agent.wait", { runId: "a" }, { timeout: 60_000 })),
  ];
  await settle(30_000);
  expect(await requests[0]).toMatchObject({ name: "TimeoutError", message: "No answer to `health` within 30000 ms." });
  first.event("tick", { ts: 1 });
  first.answer({}, "health");
  await settle(30_000);
  expect(await requests[1]).toMatchObject({ name: "TimeoutError" });
  expect(await failureOf(socket.request("health", {}, { timeout: 0 }))).toMatchObject({ name: "OpenClawError" });
});

test("a request may be left, before it is sent and after", async () => {
  const { socket, first } = await openReady();
  expect(await failureOf(socket.request("health", {}, { signal: AbortSignal.abort() }))).toMatchObject({
    name: "AbortError",
  });
  expect(first.requests).toHaveLength(1);
  const leaving = new AbortController();
  const left = failureOf(socket.request("health", {}, { signal: leaving.signal }));
  await settle();
  leaving.abort("gone");
  expect(await left).toMatchObject({ name: "AbortError", cause: "gone" });
  first.answer({});
});

test("when the connection breaks, what may be asked twice is", async () => {
  const { socket, sockets, first } = await openReady();
  const history = socket.history("main");
  const named = socket.abort("main", { runId: "a" });
  const lost = [
    failureOf(socket.request("sessions.delete", { key: "main" })),
    failureOf(socket.request("sessions.patch", { key: "main", label: "x" })),
    failureOf(socket.abort("main")),
    failureOf(socket.abort("main", { runId: undefined })),
  ];
  await settle();
  first.cut();
  for (const error of await Promise.all(lost)) {
    expect(error).toMatchObject({ name: "ConnectionError", message: "The connection was closed (1006)." });
  }
  const later = socket.request("sessions.delete", { key: "other" });
  await settle(1000);
  sockets[1]?.accept();
  await settle();
  expect(sockets[1]?.requests.map(({ method }) => method)).toEqual([
    "connect",
    "chat.history",
    "chat.abort",
    "sessions.delete",
  ]);
  sockets[1]?.answer("history", "chat.history");
  sockets[1]?.answer("named", "chat.abort");
  sockets[1]?.answer("later", "sessions.delete");
  expect(await Promise.all([history, named, later])).toEqual(["history", "named", "later"]);
});

test("without a connection a request waits, for as long as it may", async () => {
  const { socket, sockets, first } = await openReady();
  first.cut();
  const request = failureOf(socket.request("health", {}, { timeout: 500 }));
  await settle(500);
  // What was the matter is not the gateway's slowness.
  expect(await request).toMatchObject({
    name: "TimeoutError",
    cause: { name: "ConnectionError", message: "The connection was closed (1006)." },
  });
  await settle(500);
  sockets[1]?.accept();
  await settle();
  expect(sockets[1]?.requests.map(({ method }) => method)).toEqual(["connect"]);
  const unanswered = failureOf(socket.request("health", {}, { timeout: 500 }));
  await settle(500);
  const error = await unanswered;
  expect([error.name, error.cause]).toEqual(["TimeoutError", undefined]);
});

test("closing ends what waits", async () => {
  const { socket, first } = await openReady();
  const requests = [failureOf(socket.request("health")), failureOf(socket.abort("main"))];
  await settle();
  socket.close();
  for (const error of await Promise.all(requests)) expect(error).toMatchObject({ name: "AbortError" });
  first.cut(1000);
  await settle(60_000);
  expect(vi.getTimerCount()).toBe(0);
});

test("what is too large for the gateway is not sent: it would end the connection", async () => {
  const { socket, first } = await openReady({}, { ...HELLO, policy: { ...HELLO.policy, maxPayload: 200 } });
  expect(await failureOf(socket.send("main", "é".repeat(80)))).toMatchObject({
    name: "OpenClawError",
    message: "The request `chat.send` is larger than the 200 bytes that the gateway takes.",
  });
  void socket.request("sessions.resolve", { key: "e".repeat(80) }).catch(() => {});
  await settle();
  expect(first.requests.map(({ method }) => method)).toEqual(["connect", "sessions.resolve"]);
});

test("what is no JSON is the caller's error", async () => {
  const { socket } = await openReady();
  expect(await failureOf(socket.request("sessions.list", { limit: 1n as never }))).toBeInstanceOf(TypeError);
});

test("silence of two ticks ends the connection, anything else that comes does not", async () => {
  const { socket, sockets, first } = await openReady();
  await settle(59_999);
  expect(socket.status.state).toBe("ready");
  first.event("tick", { ts: 1 });
  await settle(59_999);
  first.receive("not even JSON");
  await settle(59_999);
  expect(socket.status.state).toBe("ready");
  await settle(1);
  expect(first.closed).toEqual([4000]);
  expect(socket.status).toMatchObject({
    state: "waiting",
    error: { name: "ConnectionError", message: "The gateway was silent for 60000 ms." },
  });
  // What the old one says now is nobody's.
  first.event("tick", { ts: 1 });
  first.cut();
  await settle(1000);
  sockets[1]?.accept();
  expect(socket.status.state).toBe("ready");
});

test.each([
  "{",
  "null",
  "7",
  "[]",
  '"text"',
  "{}",
  '{"type":"event"}',
  '{"type":"event","event":7}',
  '{"type":"event","event":"chat"}',
  '{"type":"event","event":"chat","payload":null,"seq":-1}',
  '{"type":"event","event":"chat","payload":{"runId":"run","state":"delta"},"seq":"x"}',
  '{"type":"event","event":"chat","payload":{"runId":"run","state":"delta","message":{"content":[null,{"type":"text"}]}}}',
  '{"type":"event","event":"chat","payload":{"runId":"run","state":"other"}}',
  '{"type":"event","event":"session.message","payload":{"sessionKey":"agent:main:main"}}',
  '{"type":"event","event":"session.message","payload":{"sessionKey":"agent:main:main","message":{"__openclaw":1}}}',
  '{"type":"event","event":"agent","payload":{"sessionKey":"agent:main:main","stream":"lifecycle"}}',
  '{"type":"event","event":"status","payload":{}}',
  '{"type":"event","event":"__proto__","payload":{}}',
  '{"type":"res","id":"3","ok":"yes"}',
  '{"type":"res","id":"3","ok":false}',
  '{"type":"res","id":"3","ok":false,"error":{"code":1,"message":"x"}}',
  '{"type":"res","id":3,"ok":true}',
  '{"type":"res","id":"99","ok":true}',
  '{"type":"req","id":"3","method":"health"}',
])("a frame %s is passed over", async (frame) => {
  const { socket, first } = await openReady();
  socket.watch("main", () => {});
  await settle();
  first.answer({ subscribed: true, key: "agent:main:main" });
  await settle();
  first.answer({ messages: [], hasMore: false });
  const statuses: unknown[] = [];
  socket.on("status", (status) => statuses.push(status));
  const sending = socket.send({ sessionKey: "main", message: "hi", idempotencyKey: "run" });
  await settle();
  first.receive(frame);
  first.onmessage({ data: new Uint8Array([123, 125]).buffer });
  first.answer({ runId: "run", status: "started" });
  const run = await sending;
  first.receive(frame);
  first.event("chat", { runId: "run", state: "final", stopReason: "stop", message: { content: "Hello" } });
  expect((await run.done()).text).toBe("Hello");
  expect(statuses).toEqual([]);
});
