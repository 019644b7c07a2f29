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

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("few are told at once, in order", () => {
  const clients = many(3);
  const members = clients.map(({ connection }) => connection);
  const fanOut = new FanOut();
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
  const fanOut = new FanOut();
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

test("what is too much is missed, which shows in the count", async () => {
  const [client, ...others] = many(100);
  const members = [client, ...others].map((some) => some?.connection as Connection);
  const fanOut = new FanOut();
  let done = 0;
  const onDone = () => done++;
  const added = 5000;
  for (let payload = 1; payload <= added; payload++) {
    fanOut.add({ event: "tick", members, encode: () => String(payload), onDone });
  }
  while (done < added) await turn();
  fanOut.add({ event: "tick", members: members.slice(0, 1), encode: () => "0" });
  const seqs = client?.frames.map(({ seq }) => seq) ?? [];
  expect(seqs.length).toBeLessThan(added);
  expect(seqs.at(-1)).toBe(added + 1);
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
  const fanOut = new FanOut();
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
