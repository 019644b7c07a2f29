import { EventEmitter, once } from "node:events";
import { expect, test, vi } from "vitest";
import type { WebSocket } from "ws";
import type { Caller } from "../../src/auth/caller.ts";
import { Hub } from "../../src/ws/hub.ts";
import { createSockets, type SocketsOptions } from "../../src/ws/sockets.ts";
import { sayer } from "../support/agents.ts";
import { connectParams, connectSocket, SocketClient } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

/** The status that an upgrade got. */
function statusOf({ socket }: SocketClient): Promise<number> {
  return new Promise((resolve) => {
    socket.on("open", () => resolve(101));
    socket.on("unexpected-response", (_request, { statusCode = 0 }) => resolve(statusCode));
  });
}

test.each([
  ["another site", "token", "https://evil.example", { token: TOKEN }],
  ["another port of this machine", "none", "http://localhost:1", {}],
] as const)("a page of %s (auth mode %s) takes no place of a program's", async (_what, mode, origin, login) => {
  const { url } = await startGateway({
    agents: [sayer("Hello")],
    config: { gateway: { auth: { mode, ...login } } },
  });
  const open = () => new SocketClient(url, { ws: { headers: { origin } } });
  const pages = Array.from({ length: 32 }, open);
  const statuses = await Promise.all(pages.map(statusOf));
  expect(statuses.toSorted()).toEqual([...Array(4).fill(101), ...Array(28).fill(503)]);
  const program = await connectSocket(url, login);
  expect((await program.request("health")).ok).toBe(true);
  pages.find((_, index) => statuses[index] === 101)?.socket.terminate();
  await vi.waitFor(async () => expect(await statusOf(open())).toBe(101), 10_000);
});

/** A socket without a network. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  readonly bufferedAmount = 0;
  readonly isPaused = false;
  readonly _receiver = {};
  code: number | undefined;

  send(text: string): void {
    this.emit("sent", JSON.parse(text));
  }

  close(code: number): void {
    this.readyState = 2;
    this.code ??= code;
  }

  ping(): void {}
}

const NO_LIMITS: Omit<Caller, "owner"> = { scopes: new Set(["models"]), limits: {} };

/** The room of sockets by itself: a caller's token is its name. */
function openRoom(more: object = {}) {
  const identify = ({ authorization = "" }): Caller => ({ owner: authorization.slice("Bearer ".length), ...NO_LIMITS });
  const bugs: [unknown, object][] = [];
  const onBug = (error: unknown, context: object) => bugs.push([error, context]);
  const options = {
    ...{ hub: new Hub(onBug), runs: { draining: false }, onConnected: () => {}, onGone: () => {}, onBug },
    ...{ current: () => ({ agents: { default: { id: "main" } } }), authMode: () => "token" },
    authenticator: { authenticate: identify, recheck: identify },
    ...more,
  };
  const sockets = createSockets(options as unknown as SocketsOptions);
  async function join(owner: string) {
    const peer = { address: "127.0.0.1", local: true, isForeignPage: () => false };
    sockets.refuseIfFull(peer);
    const socket = new FakeSocket();
    sockets.accept(socket as unknown as WebSocket, peer);
    const answered = once(socket, "sent");
    const connect = { type: "req", id: "c", method: "connect", params: connectParams({ token: owner }) };
    socket.emit("message", Buffer.from(JSON.stringify(connect)));
    const [{ ok, error }] = await answered;
    const leave = () => socket.emit("close");
    if (!ok) leave();
    return { ok, error, socket, leave };
  }
  return { sockets, join, bugs };
}

test("one key may have 1,024 sockets, all keys leave 256, and the operator has all that are left", async () => {
  const { sockets, join } = openRoom();
  const open: Awaited<ReturnType<typeof join>>[] = [];
  const fill = async (owner: string, count: number) => {
    for (let i = 0; i < count; i++) open.push(await join(owner));
    expect(open.every(({ ok }) => ok)).toBe(true);
  };
  const expectFull = async (owner: string, message: string) => {
    const { ok, error, socket } = await join(owner);
    expect(ok).toBe(false);
    expect(error).toMatchObject({ code: "UNAVAILABLE", message, retryable: true, retryAfterMs: 1000 });
    expect(error.details).toEqual({ code: "gateway_overloaded" });
    expect(socket.code).toBe(1013);
  };
  await fill("ann", 1024);
  await expectFull("ann", "More than 1024 sockets of this key or user would be open.");
  open[0]?.leave();
  await fill("ann", 1);
  await expectFull("ann", "More than 1024 sockets of this key or user would be open.");
  for (const [owner, count] of Object.entries({ bob: 1024, "user:eve": 1024, dan: 768 })) await fill(owner, count);
  await expectFull("dan", "Too many sockets are open.");
  await fill("operator", 255);
  await fill("local", 1);
  expect(sockets.open).toBe(4096);
  await expect(join("operator")).rejects.toThrow("Too many sockets are open.");
  for (const { leave } of open) leave();
  expect(sockets.open).toBe(0);
  await fill("dan", 1);
  sockets.close();
});

test("what goes wrong in a handshake without anybody's intention is told to who looks after it", async () => {
  const boom = new Error("boom secret");
  const authenticate = () => {
    throw boom;
  };
  const { sockets, join, bugs } = openRoom({ authenticator: { authenticate } });
  const { ok, error, socket } = await join("ann");
  expect(ok).toBe(false);
  expect(error.code).toBe("UNAVAILABLE");
  expect(JSON.stringify(error)).not.toContain("secret");
  expect(socket.code).toBe(1013);
  await vi.waitFor(() => expect(bugs).toEqual([[boom, { method: "connect" }]]), 10_000);
  sockets.close();
});

test("whoever cannot be looked at again is let go, and the others stay", async () => {
  const boom = new Error("boom");
  const callers = new Map<string, Caller>();
  const identify = ({ authorization = "" }): Caller => {
    const owner = authorization.slice("Bearer ".length);
    const caller = callers.get(owner) ?? { owner, ...NO_LIMITS };
    callers.set(owner, caller);
    return caller;
  };
  const recheck = (attempt: { authorization?: string }) => {
    if (attempt.authorization === "Bearer ann") throw boom;
    return identify(attempt);
  };
  const { sockets, join, bugs } = openRoom({ authenticator: { authenticate: identify, recheck } });
  const [ann, bob] = [await join("ann"), await join("bob")];
  sockets.recheck();
  expect(ann.socket.code).toBe(4001);
  expect(bob.socket.code).toBeUndefined();
  expect(bugs).toEqual([[boom, { method: "connect" }]]);
  for (const { leave } of [ann, bob]) leave();
  sockets.close();
});
