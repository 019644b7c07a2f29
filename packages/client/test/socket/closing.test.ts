import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSocket } from "../../src/socket/index.ts";
import { failureOf, TOKEN } from "../support/client.ts";
import { FakeSocket, settle } from "../support/fake-socket.ts";
import { openReady } from "../support/ready-socket.ts";
import { expectNoUnhandled } from "../support/unhandled.ts";

expectNoUnhandled();
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test.each(["hangs", "answers"])("a gateway that %s keeps no process where the class can help it", async (how) => {
  const terminate = vi.fn();
  const sockets: FakeSocket[] = [];
  class WebSocket extends FakeSocket {
    terminate = terminate;
    constructor(url: string) {
      super(url);
      sockets.push(this);
    }
  }
  const socket = createSocket({ baseUrl: "http://gateway.test", token: TOKEN, WebSocket });
  const connected = socket.connect();
  await settle();
  sockets[0]?.accept();
  await connected;
  socket.close();
  expect(sockets[0]?.closed).toEqual([1000]);
  expect(terminate).not.toHaveBeenCalled();
  if (how === "answers") sockets[0]?.cut(1000);
  await settle(1000);
  expect(terminate).toHaveBeenCalledTimes(how === "hangs" ? 1 : 0);
  expect(vi.getTimerCount()).toBe(0);
});

test("closing ends the wait for the next try", async () => {
  const { socket, first } = await openReady();
  first.cut();
  expect(socket.status.state).toBe("waiting");
  socket.close();
  expect(vi.getTimerCount()).toBe(0);
});

test.each(["run", "sessions"])("closing ends the wait to ask again: %s", async (what) => {
  const { socket, sockets, first } = await openReady();
  first.isMute = true;
  let asked = "sessions.subscribe";
  let connection = first;
  if (what === "run") {
    const sending = socket.send({ sessionKey: "main", message: "hi", idempotencyKey: "mine" });
    await settle();
    first.answer({ runId: "mine", status: "started" });
    await sending;
    first.cut();
    await settle(1000);
    connection = sockets[1] as FakeSocket;
    connection.accept();
    asked = "chat.history";
  } else socket.on("sessions.changed", () => {});
  await settle();
  connection.refuse({ code: "UNAVAILABLE", message: "Later.", retryable: true, retryAfterMs: 60_000 }, asked);
  await settle();
  expect(vi.getTimerCount()).toBe(2);
  socket.close();
  await settle();
  expect(vi.getTimerCount()).toBe(0);
});

test("a run that is over has let go of its signal", async () => {
  const { socket, first } = await openReady();
  const { signal } = new AbortController();
  const sending = socket.send({ sessionKey: "main", message: "hi", idempotencyKey: "mine" }, { signal });
  await settle();
  first.answer({ runId: "mine", status: "started" });
  const run = await sending;
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  first.event("chat", { runId: "mine", state: "final" });
  await run.done();
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test.each(["away", "there"])(
  "a request that nobody waits for any more is forgotten, with a gateway that is %s",
  async (how) => {
    setFlagsFromString("--expose-gc");
    const gc: () => void = runInNewContext("gc");
    const { socket, first } = await openReady();
    if (how === "away") first.cut();
    const ask = async () => {
      const leaving = new AbortController();
      const params = { key: "main" };
      const failure = failureOf(socket.request("sessions.describe", params, { signal: leaving.signal }));
      await settle();
      leaving.abort();
      await failure;
      return new WeakRef(params);
    };
    const asked = await ask();
    vi.useRealTimers();
    await vi.waitFor(() => {
      gc();
      expect(asked.deref() === undefined).toBe(true);
    }, 10_000);
    socket.close();
  },
);
