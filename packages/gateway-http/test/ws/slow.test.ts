import { expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { OPERATOR } from "../../src/auth/caller.ts";
import { Connection, type ConnectionOptions } from "../../src/ws/connection.ts";
import { createPings } from "../../src/ws/keep-alive.ts";
import { createSockets, type SocketsOptions } from "../../src/ws/sockets.ts";
import { agentOf, sayer } from "../support/agents.ts";
import { ask } from "../support/chat.ts";
import { ALL_SCOPES, connectSocket, countSockets, type SocketClient } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const MIB = 2 ** 20;

/** What waited in the gateway's sockets whenever one of them had sent something, at most. */
function watchBuffers() {
  const watched = { most: 0, paused: 0 };
  const { send, pause } = WebSocket.prototype;
  const ofGateway = (socket: WebSocket) => (socket as unknown as { _isServer: boolean })._isServer;
  vi.spyOn(WebSocket.prototype, "send").mockImplementation(function (this: WebSocket, ...args: unknown[]) {
    Reflect.apply(send, this, args);
    if (ofGateway(this)) watched.most = Math.max(watched.most, this.bufferedAmount);
  });
  vi.spyOn(WebSocket.prototype, "pause").mockImplementation(function (this: WebSocket) {
    if (ofGateway(this)) watched.paused++;
    Reflect.apply(pause, this, []);
  });
  return watched;
}

/** With what is told of it, more than the system takes on its way. */
const MUCH = "m".repeat(4 * MIB);

const seqs = ({ events }: SocketClient) => events.map(({ seq }) => seq).filter((seq) => seq !== undefined);

test("whoever does not read misses pieces, sees that, and has the whole answer when it reads again", async () => {
  const watched = watchBuffers();
  const steps = Array.from({ length: 10 }, () => Promise.withResolvers<void>());
  const agent = agentOf(async function* ({ messages }) {
    if (messages.at(-1)?.content === "much") yield MUCH;
    else
      for (const [index, { promise }] of steps.entries()) {
        await promise;
        yield ` ${index}`;
      }
  });
  const { url } = await startGateway({ agents: [agent] });
  const slow = await connectSocket(url, { token: TOKEN });
  const quick = await connectSocket(url, { token: TOKEN });
  // Who uses a session hears every piece of it.
  for (const sessionKey of ["first", "second"]) await slow.request("chat.history", { sessionKey });
  slow.socket.pause();
  const send = (sessionKey: string, message: string) =>
    quick.request("chat.send", { sessionKey, message, idempotencyKey: sessionKey });
  const isFinal = (id: string) => (payload: { state: string; runId: string }) =>
    payload.state === "final" && payload.runId === id;
  await send("first", "much");
  await quick.untilEvent("chat", isFinal("first"));
  await send("second", "little");
  for (const [index, { resolve }] of steps.entries()) {
    resolve();
    await quick.untilEvent("chat", ({ deltaText }) => deltaText === ` ${index}`);
  }
  await quick.untilEvent("chat", isFinal("second"));
  expect(watched.most).toBeGreaterThan(MIB);
  expect(watched.most).toBeLessThan(50 * MIB);
  slow.socket.resume();
  const { message } = await slow.untilEvent("chat", isFinal("second"));
  expect(message.content).toEqual([{ type: "text", text: steps.map((_, index) => ` ${index}`).join("") }]);
  const first = await slow.untilEvent("chat", isFinal("first"));
  expect(first.message.content[0].text === MUCH).toBe(true);
  expect(slow.payloads("chat").filter(({ state, runId }) => state === "delta" && runId === "second")).toEqual([]);
  const counts = seqs(slow) as number[];
  expect(counts.every((seq, index) => index === 0 || seq > (counts[index - 1] as number))).toBe(true);
  // Each piece was counted.
  expect(counts.at(-1)).toBe(seqs(quick).at(-1));
  expect(counts.length).toBeLessThan(seqs(quick).length);
  expect((await slow.request("health")).ok).toBe(true);
});

test("whoever asks for much and reads nothing is not asked for more, and holds up nobody", async () => {
  const watched = watchBuffers();
  const { url } = await startGateway({ agents: [sayer("y".repeat(400_000))] });
  const slow = await connectSocket(url, { token: TOKEN });
  for (let i = 0; i < 3; i++) {
    await slow.request("chat.send", { sessionKey: "main", message: "hi", idempotencyKey: `run-${i}` });
    await slow.untilEvent("chat", ({ state, runId }) => state === "final" && runId === `run-${i}`);
  }
  slow.socket.pause();
  const params = { sessionKey: "main", maxChars: 500_000 };
  const count = 40;
  for (let i = 0; i < count; i++) {
    slow.send({ type: "req", id: `h${i}`, method: "chat.history", params });
    // Each in a packet of its own: what came in one is answered in one go.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await vi.waitFor(() => expect(watched.paused).toBeGreaterThan(0), { timeout: 10_000 });
  const other = await connectSocket(url, { token: TOKEN });
  for (let i = 0; i < 20; i++) expect((await other.request("health")).ok).toBe(true);
  expect(watched.most).toBeLessThan(50 * MIB);
  slow.socket.resume();
  await slow.until((frame) => frame.id === `h${count - 1}`);
  const answers = slow.frames.filter((frame) => frame.type === "res" && frame.id.startsWith("h"));
  expect(answers.map((frame) => frame.type === "res" && frame.ok)).toEqual(Array(count).fill(true));
});

/** A wire with this much in it, and what it was told to do. */
function wireWith(bufferedAmount = 0) {
  const did: string[] = [];
  const sent: string[] = [];
  const callbacks: (() => void)[] = [];
  const wire = {
    OPEN: 1 as const,
    readyState: 1 as WebSocket["readyState"],
    bufferedAmount,
    isPaused: false,
    send(frame: string, callback?: () => void) {
      sent.push(frame);
      if (callback) callbacks.push(callback);
    },
    pause: () => {
      wire.isPaused = true;
      did.push("pause");
    },
    resume: () => {
      wire.isPaused = false;
      did.push("resume");
    },
    close: (code: number, reason: string) => {
      wire.readyState = 2;
      did.push(`close ${code} ${reason}`);
    },
  };
  const options = { id: "c", wire, caller: OPERATOR, scopes: new Set(ALL_SCOPES), caps: [] };
  const connection = new Connection(options as unknown as ConnectionOptions);
  return { wire, did, sent, callbacks, connection };
}

test("from 1 MiB on what can be told later is left out, and its number is used up", () => {
  const { wire, sent, connection } = wireWith(MIB);
  connection.tell("tick", "1", true);
  wire.bufferedAmount = MIB + 1;
  connection.tell("tick", "2", true);
  connection.tell("chat", "3");
  wire.bufferedAmount = 0;
  connection.tell("tick", "4", true);
  expect(sent.map((text) => JSON.parse(text))).toEqual([
    { type: "event", event: "tick", payload: 1, seq: 1 },
    { type: "event", event: "chat", payload: 3, seq: 3 },
    { type: "event", event: "tick", payload: 4, seq: 4 },
  ]);
});

test("nobody is read from while it does not read; it is again once what waited is taken", () => {
  const { wire, did, callbacks, connection } = wireWith(MIB + 1);
  connection.respond("a", 1);
  connection.respond("b", 2);
  expect(did).toEqual(["pause"]);
  callbacks.shift()?.();
  expect(did).toEqual(["pause"]);
  wire.bufferedAmount = 10;
  callbacks.shift()?.();
  expect(did).toEqual(["pause", "resume"]);
});

test("with more than 50 MiB that wait it is over, and nothing is made for it any more", () => {
  const { wire, did, sent, connection } = wireWith(50 * MIB);
  connection.respond("a", 1);
  wire.bufferedAmount = 50 * MIB + 1;
  connection.respond("b", 2);
  const toJSON = vi.fn();
  connection.respond("c", { toJSON });
  connection.tell("chat", "{}");
  expect(did).toEqual(["pause", "close 1008 slow consumer"]);
  expect(sent).toHaveLength(1);
  expect(toJSON).not.toHaveBeenCalled();
});

test("whoever takes more than 50 MiB without reading is let go, in a real gateway", async () => {
  const door = await startGateway({ agents: [sayer("z".repeat(22 * MIB))] });
  const slow = await connectSocket(door.url, { token: TOKEN });
  slow.socket.pause();
  // How each ends is nothing that could be told later.
  for (let i = 0; i < 2; i++) await ask(door);
  await vi.waitFor(async () => expect(await countSockets(door)).toBe(0), { timeout: 20_000 });
  slow.socket.resume();
  expect([1006, 1008]).toContain((await slow.closed).code);
  const other = await connectSocket(door.url, { token: TOKEN });
  expect((await other.request("health")).ok).toBe(true);
}, 60_000);

test("whoever does not answer a ping until the next one is cut; who answers, or reads on, is not", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const { url } = await startGateway();
  const dead = await connectSocket(url, { token: TOKEN, ws: { autoPong: false } });
  const alive = await connectSocket(url, { token: TOKEN });
  for (let i = 0; i < 3; i++) {
    const pinged = new Promise((resolve) => alive.socket.once("ping", resolve));
    vi.advanceTimersByTime(25_000);
    await pinged;
    // Behind its pong.
    expect((await alive.request("health")).ok).toBe(true);
  }
  expect(await dead.closed).toMatchObject({ code: 1006 });
  expect(alive.socket.readyState).toBe(1);
  vi.useRealTimers();
});

test("while what waits becomes less, a pong may take its time", () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const pings = createPings();
  const socket = { bufferedAmount: 500, ping: vi.fn(), terminate: vi.fn(), on: vi.fn(), once: vi.fn() };
  pings.add(socket as unknown as WebSocket);
  for (const left of [400, 300, 200]) {
    vi.advanceTimersByTime(25_000);
    socket.bufferedAmount = left;
  }
  vi.advanceTimersByTime(25_000);
  expect(socket.terminate).not.toHaveBeenCalled();
  vi.advanceTimersByTime(25_000);
  expect(socket.terminate).toHaveBeenCalledOnce();
  pings.stop();
  vi.useRealTimers();
});

test("4,096 sockets may be there in all", () => {
  const options = { hub: [], runs: { draining: false }, authMode: () => "token" };
  const sockets = createSockets(options as unknown as SocketsOptions);
  const closings: (() => void)[] = [];
  const open = (index: number) => {
    const once = (_event: string, listener: () => void) => closings.push(listener);
    const socket = { once, on: () => {}, send: () => {}, close: () => {} } as unknown as WebSocket;
    const address = `10.0.${Math.floor(index / 250)}.${index % 250}`;
    const peer = { address, local: false, isForeignPage: () => false };
    sockets.refuseIfFull(peer);
    sockets.accept(socket, peer);
  };
  for (let index = 0; index < 4096; index++) open(index);
  expect(sockets.open).toBe(4096);
  expect(() => open(5000)).toThrow("Too many sockets are open.");
  for (const close of closings) close();
  expect(sockets.open).toBe(0);
  open(5000);
  for (const close of closings) close();
  sockets.close();
});
