import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { settle } from "../support/fake-socket.ts";
import { openReady } from "../support/ready-socket.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("events go to those who listen, for as long as they do", async () => {
  const { socket, first } = await openReady();
  const heard: unknown[] = [];
  const listener = (payload: unknown) => heard.push(payload);
  const stops = [socket.on("shutdown", listener), socket.on("shutdown", listener)];
  first.event("shutdown", { reason: "one" });
  stops[0]?.();
  stops[0]?.();
  first.event("shutdown", { reason: "two" });
  stops[1]?.();
  first.event("shutdown", { reason: "three" });
  expect(heard).toEqual([{ reason: "one" }, { reason: "one" }, { reason: "two" }]);
});

test("a jump of the count is a gap, and each connection counts anew", async () => {
  const { socket, sockets, first } = await openReady();
  const heard: unknown[] = [];
  socket.on("gap", (gap) => heard.push(gap));
  socket.on("tick", ({ ts }) => heard.push(ts));
  first.event("tick", { ts: 1 }, 1);
  first.event("tick", { ts: 2 }, 2);
  first.event("tick", { ts: 5 }, 5);
  first.event("tick", { ts: 6 }, 6);
  first.receive({ type: "event", event: "tick", payload: { ts: 0 } });
  first.cut();
  await settle(1000);
  sockets[1]?.accept();
  sockets[1]?.event("tick", { ts: 7 }, 1);
  sockets[1]?.event("tick", { ts: 8 }, 3);
  expect(heard).toEqual([1, 2, { expected: 3, received: 5 }, 5, 6, 0, 7, { expected: 2, received: 3 }, 8]);
});

test("what comes with the hello in one go is heard", async () => {
  const { socket, sockets, first } = await openReady();
  const heard: unknown[] = [];
  socket.on("gap", (gap) => heard.push(gap));
  socket.on("tick", ({ ts }) => heard.push(ts));
  first.cut();
  await settle(1000);
  sockets[1]?.accept();
  sockets[1]?.event("tick", { ts: 1 });
  sockets[1]?.event("tick", { ts: 2 });
  expect(heard).toEqual([1, 2]);
});

test("who listens for sessions is subscribed, on every connection and once", async () => {
  const { socket, sockets, first } = await openReady();
  socket.on("sessions.changed", () => {});
  socket.on("session.message", () => {});
  socket.on("tick", () => {});
  await settle();
  first.answer({ subscribed: true });
  first.cut();
  await settle(1000);
  sockets[1]?.accept();
  await settle();
  for (const { requests } of sockets) {
    expect(requests.map(({ method }) => method)).toEqual(["connect", "sessions.subscribe"]);
  }
});

test("what may pass does not make deaf, what will not is not asked for ever", async () => {
  const { socket, first } = await openReady();
  first.isMute = true;
  socket.on("sessions.changed", () => {});
  await settle();
  first.refuse({ code: "UNAVAILABLE", message: "Later.", retryable: true, retryAfterMs: 2000 }, "sessions.subscribe");
  await settle(1999);
  expect(first.requests).toHaveLength(2);
  await settle(1);
  expect(first.last()).toMatchObject({ id: "3", method: "sessions.subscribe" });
  first.refuse({ code: "FORBIDDEN", message: "missing scope: sessions" });
  await settle(25_000);
  expect(first.requests).toHaveLength(3);
});

test("what a listener throws is an uncaught error, and stops nothing", async () => {
  const { socket, first } = await openReady();
  const uncaught: unknown[] = [];
  const all = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error));
  const error = new Error("of a listener");
  const heard: unknown[] = [];
  socket.on("tick", () => {
    throw error;
  });
  socket.on("tick", ({ ts }) => heard.push(ts));
  first.event("tick", { ts: 1 });
  first.event("tick", { ts: 2 });
  vi.useRealTimers();
  await vi.waitFor(() => expect(uncaught).toEqual([error, error]), 10_000);
  process.removeAllListeners("uncaughtException");
  for (const listener of all) process.on("uncaughtException", listener);
  expect(heard).toEqual([1, 2]);
});
