import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Connection } from "../../src/ws/connection.ts";
import { FanOut } from "../../src/ws/fan-out.ts";

/** A connection over this wire. */
function connectionOf(wire: object, id = "one") {
  const caller = { owner: "operator", scopes: new Set<never>(), limits: {} };
  return new Connection({ id, wire: wire as never, caller, scopes: new Set(), caps: [] });
}

/** Connections whose frames are kept. */
function many(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const texts: string[] = [];
    const wire = {
      ...{ OPEN: 1, readyState: 1, bufferedAmount: 0, isPaused: false },
      send: (text: string) => texts.push(text),
      ...{ close() {}, terminate() {}, pause() {}, resume() {} },
    };
    return {
      connection: connectionOf(wire, String(index)),
      get frames(): { event: string; seq: number; payload: number }[] {
        return texts.map((text) => JSON.parse(text));
      },
    };
  });
}

/** Nothing is to hinder the telling. */
const createFanOut = () =>
  new FanOut((error) => {
    throw error;
  });

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("few are told at once, in order", () => {
  const clients = many(3);
  const members = clients.map(({ connection }) => connection);
  const fanOut = createFanOut();
  for (const payload of [1, 2]) fanOut.add({ event: "tick", members, encode: () => String(payload) });
  for (const { frames } of clients)
    expect(frames.map(({ payload, seq }) => [payload, seq])).toEqual([
      [1, 1],
      [2, 2],
    ]);
});

test("many are told in turns, each in order, and those who left or want it no more are passed over", async () => {
  const clients = many(200);
  const members = clients.map(({ connection }) => connection);
  const fanOut = createFanOut();
  let done = 0;
  const add = (payload: number) =>
    fanOut.add({
      event: "tick",
      members,
      encode: () => String(payload),
      isFor: (member) => member !== members[198],
      onDone: () => done++,
    });
  add(1);
  expect(clients.some(({ frames }) => frames.length > 0)).toBe(false);
  await turn();
  const after = clients.filter(({ frames }) => frames.length > 0).length;
  expect(after).toBeGreaterThan(0);
  expect(after).toBeLessThan(200);
  add(2);
  members[199]?.leave();
  while (done < 2) await turn();
  for (const [index, { frames }] of clients.entries()) {
    expect(frames.map(({ payload }) => payload)).toEqual(index < 198 ? [1, 2] : []);
  }
});

test("what is too much is missed, which shows in the count: first what one can do without", async () => {
  const [client, ...others] = many(100);
  const members = [client, ...others].map((some) => some?.connection as Connection);
  const fanOut = createFanOut();
  const missed: string[] = [];
  let done = 0;
  const add = (payload: number, droppable: boolean) =>
    fanOut.add({
      ...{ event: "tick", members, droppable, encode: () => String(payload) },
      onMissed: (member) => missed.push(member.id),
      onDone: () => done++,
    });
  // So many fit; of those that come then, some take the place of others.
  const added = 5000;
  for (let payload = 1; payload <= added; payload++) add(payload, payload <= 2000);
  while (done < added) await turn();
  const told = client?.frames ?? [];
  expect(told.map(({ payload }) => payload)).toEqual(Array.from({ length: 3000 }, (_, index) => 2001 + index));
  expect(told.at(-1)?.seq).toBe(added);
  expect(missed).toHaveLength(2000 * members.length);
  for (let payload = 1; payload <= added; payload++) add(payload, false);
  while (done < 2 * added) await turn();
  fanOut.add({ event: "tick", members: members.slice(0, 1), encode: () => "0" });
  expect(client?.frames.length).toBeLessThan(3000 + added);
  expect(client?.frames.at(-1)?.seq).toBe(2 * added + 1);
});

test("what is many frames long is told of to the last, in turns", async () => {
  const clients = many(2);
  const members = clients.map(({ connection }) => connection);
  const fanOut = createFanOut();
  let isDone = false;
  const frames = 6000;
  const onDone = () => {
    isDone = true;
  };
  fanOut.add({ event: "tick", members, frames, encode: (_, frame) => String(frame), onDone });
  fanOut.add({ event: "tick", members, encode: () => "-1" });
  await turn();
  expect(clients[0]?.frames.length).toBeLessThan(frames);
  expect(isDone).toBe(false);
  while (fanOut.isBusy) await turn();
  expect(isDone).toBe(true);
  const all = [...Array.from({ length: frames }, (_, index) => index), -1];
  for (const client of clients) expect(client.frames.map(({ payload }) => payload)).toEqual(all);
});

test.each([1, 100])(
  "what cannot be told or sent to one of %s is told to the others, and is a bug once",
  async (count) => {
    const clients = many(count);
    const broken = connectionOf({
      ...{ OPEN: 1, readyState: 1, bufferedAmount: 0, isPaused: false },
      send() {
        throw new Error("no wire");
      },
    });
    const members = [broken, ...clients.map(({ connection }) => connection)];
    const bugs: unknown[] = [];
    const fanOut = new FanOut((error, context) => bugs.push([(error as Error).message, context.event]));
    let done = 0;
    const onDone = () => done++;
    const fail = () => {
      throw new RangeError("too deep");
    };
    fanOut.add({ event: "chat", members, encode: fail, onDone });
    fanOut.add({ event: "tick", members, encode: () => "1", onDone });
    while (done < 2) await turn();
    for (const { frames } of clients) expect(frames).toEqual([{ type: "event", event: "tick", payload: 1, seq: 2 }]);
    expect(bugs).toEqual([
      ["too deep", "chat"],
      ["no wire", "tick"],
    ]);
  },
);

test("what waits for one can be told at once, and is told in its place", async () => {
  const clients = many(100);
  const members = clients.map(({ connection }) => connection);
  const fanOut = createFanOut();
  let done = 0;
  const onDone = () => done++;
  for (const payload of [1, 2]) fanOut.add({ event: "tick", members, encode: () => String(payload), onDone });
  const last = clients[99];
  fanOut.flush(last?.connection as Connection);
  fanOut.tellNow({ event: "tick", members: members.slice(99), encode: () => "3" });
  expect(last?.frames.map(({ payload }) => payload)).toEqual([1, 2, 3]);
  while (done < 2) await turn();
  expect(last?.frames).toHaveLength(3);
  expect(clients[0]?.frames).toHaveLength(2);
});

test("what waits for one leaves in one write, but for what is long", async () => {
  const done: string[] = [];
  const tcp = {
    writableLength: 0,
    cork: () => done.push("cork"),
    uncork() {
      done.push("uncork");
      tcp.writableLength = 0;
    },
  };
  const wire = {
    ...{ OPEN: 1, readyState: 1, bufferedAmount: 0, isPaused: false, _socket: tcp },
    send(text: string) {
      done.push(JSON.parse(text).payload.slice(0, 3));
      tcp.writableLength += text.length;
    },
  };
  const members = [connectionOf(wire), ...many(99).map(({ connection }) => connection)];
  const fanOut = createFanOut();
  const payloads = ["one", `two${"o".repeat(70_000)}`, "thr", "fou"];
  const { promise: allTold, resolve: onDone } = Promise.withResolvers<void>();
  for (const payload of payloads) {
    fanOut.add({ event: "tick", members, encode: () => JSON.stringify(payload), ...(payload === "fou" && { onDone }) });
  }
  await allTold;
  expect(done).toEqual(["cork", "one", "two", "uncork", "cork", "thr", "fou", "uncork"]);
});

test("one write is one for the installed ws, too", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  try {
    const [[wire]] = (await Promise.all([once(server, "connection"), once(client, "open")])) as [[WebSocket], unknown];
    const connection = connectionOf(wire);
    const seen: unknown[] = [];
    const second = new Promise<void>((resolve) => {
      client.on("message", (data) => seen.push(JSON.parse(String(data)).payload) === 2 && resolve());
    });
    connection.together(() => {
      connection.tell("tick", "1");
      connection.tell("tick", "2");
      // Nothing of it has left.
      expect(wire.bufferedAmount).toBeGreaterThan(100);
    });
    await second;
    expect(seen).toEqual([1, 2]);
  } finally {
    client.terminate();
    server.close();
  }
});
