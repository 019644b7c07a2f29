import { expect, test } from "vitest";
import { Connection } from "../../src/ws/connection.ts";
import { FanOut } from "../../src/ws/fan-out.ts";

/** Connections whose frames are kept. */
function many(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const frames: { event: string; seq: number; payload: number }[] = [];
    const wire = {
      ...{ OPEN: 1, readyState: 1, bufferedAmount: 0, isPaused: false },
      send: (text: string) => frames.push(JSON.parse(text)),
      ...{ close() {}, terminate() {}, pause() {}, resume() {} },
    };
    const caller = { owner: "operator", scopes: new Set<never>(), limits: {} };
    const connection = new Connection({ id: String(index), wire: wire as never, caller, scopes: new Set(), caps: [] });
    return { connection, frames };
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
