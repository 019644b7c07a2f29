import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SocketRun } from "../../src/socket/index.ts";
import { failureOf } from "../support/client.ts";
import { type FakeSocket, HELLO, settle } from "../support/fake-socket.ts";
import { openReady } from "../support/ready-socket.ts";
import { expectNoUnhandled } from "../support/unhandled.ts";

expectNoUnhandled();
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const helloOf = (bootId: string) => ({ ...HELLO, server: { ...HELLO.server, bootId } });
const methods = (connection: FakeSocket | undefined) => connection?.requests.map(({ method }) => method).slice(1);

async function open() {
  const opened = await openReady({}, helloOf("first"));
  const { sockets, first } = opened;
  /** The connection breaks, and the gateway is there again. */
  const comeBack = async (bootId: string) => {
    first.cut(1012);
    await settle(1000);
    sockets[1]?.accept(helloOf(bootId));
    await settle();
    return sockets[1] as FakeSocket;
  };
  return { ...opened, comeBack };
}

test.each(["chat.send", "agent"] as const)(
  "a message without an answer is not said to another gateway: %s",
  async (method) => {
    const { socket, comeBack } = await open();
    const params = { sessionKey: "main", message: "hi", idempotencyKey: "mine" };
    const asked = failureOf(method === "agent" ? socket.request(method, params) : socket.send(params));
    const harmless = socket.request("health");
    await settle();
    const second = await comeBack("second");
    expect(await asked).toMatchObject({ name: "ConnectionError", message: "The connection was closed (1012)." });
    expect(methods(second)).toEqual(["health"]);
    second.answer("well");
    expect(await harmless).toBe("well");
  },
);

test("to the same one it is", async () => {
  const { socket, comeBack } = await open();
  const again = socket.request("agent", { sessionKey: "main", message: "hi", idempotencyKey: "mine" });
  await settle();
  const second = await comeBack("first");
  expect(second.last("agent").params).toMatchObject({ idempotencyKey: "mine" });
  second.answer("again", "agent");
  expect(await again).toBe("again");
});

/** A run whose token may chat, and not read. */
async function startBlind() {
  const opened = await open();
  const { socket, first } = opened;
  const sending = socket.send({ sessionKey: "main", message: "hi", idempotencyKey: "mine" });
  await settle();
  first.answer({ runId: "mine", status: "started" });
  const run: SocketRun = await sending;
  let end = "none";
  run.done().catch((error: Error) => {
    end = error.name;
  });
  const learn = async (connection: FakeSocket) => {
    connection.refuse({ code: "FORBIDDEN", message: "missing scope: sessions" }, "chat.history");
    await settle();
    connection.answer({ runId: "mine", status: "timeout" }, "agent.wait");
    await settle();
    return end;
  };
  return { ...opened, run, learn };
}

test("a run that another gateway does not know is lost, also for who may not read", async () => {
  const { comeBack, learn } = await startBlind();
  expect(await learn(await comeBack("second"))).toBe("StreamTruncatedError");
});

test("the same one may only not tell of it yet", async () => {
  const { comeBack, learn, run } = await startBlind();
  const second = await comeBack("first");
  expect(await learn(second)).toBe("none");
  second.event("chat", { runId: "mine", state: "final", message: { content: "Hello" } });
  expect((await run.done()).text).toBe("Hello");
});
