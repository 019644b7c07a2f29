import { expect, test, vi } from "vitest";
import { OPERATOR } from "../../src/auth/caller.ts";
import { Run } from "../../src/runs/run.ts";
import type { RunRequest } from "../../src/runs/run-request.ts";
import { Connection } from "../../src/ws/connection.ts";
import { Hub } from "../../src/ws/hub.ts";
import { Narrator, type NarratorOptions } from "../../src/ws/narrator.ts";
import { Narrators } from "../../src/ws/narrators.ts";
import { ALL_SCOPES } from "../support/socket-client.ts";

const START = { type: "run-start" as const, runId: "r1", agentId: "main", sessionKey: "agent:main:s", created: 0 };
const session = { owner: OPERATOR.owner, key: "agent:main:s", stateless: false };

/** A client whose frames are kept. */
function join(hub: Hub, { uses = false } = {}) {
  const texts: string[] = [];
  const wire = {
    ...{ OPEN: 1 as const, readyState: 1 as const, bufferedAmount: 0, isPaused: false },
    send: (text: string) => texts.push(text),
    ...{ close() {}, terminate() {}, pause() {}, resume() {} },
  };
  const caller = { ...OPERATOR };
  const connection = new Connection({ id: "one", wire, caller, scopes: new Set(ALL_SCOPES), caps: [] });
  if (uses) connection.use(session.key);
  hub.add(connection);
  return {
    wire,
    connection,
    // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects.
    payloads: (event: string): any[] =>
      texts.map((text) => JSON.parse(text)).flatMap((frame) => (frame.event === event ? [frame.payload] : [])),
  };
}

/** A run that is told of, and what was a bug. */
function tell(more: Partial<NarratorOptions> = {}) {
  const bugs: unknown[] = [];
  const onBug = (error: unknown) => bugs.push(error);
  const hub = new Hub(onBug);
  const run = new Run("r1", 0, true);
  const news = { appended: () => undefined, changed: () => undefined };
  const request = { session, agent: { id: "main" } } as unknown as RunRequest;
  const narrator = new Narrator(run, request, { news, fanOut: hub.fanOut, paceOf: () => 0, onBug, ...more });
  return { bugs, hub, run, narrator };
}

test("what cannot be told of a run is a bug, and its end is told once all the same", async () => {
  const paceOf = vi.fn(() => {
    throw new Error("no pace");
  });
  const { bugs, hub, run, narrator } = tell({ paceOf });
  const { connection, payloads } = join(hub);
  narrator.tellings.place(connection);
  const isDone = vi.fn();
  void narrator.done.then(isDone);
  void run.emit([START, { type: "text-delta", text: "one" }, { type: "text-delta", text: " two" }]);
  await Promise.resolve();
  expect(isDone).not.toHaveBeenCalled();
  expect(bugs).toHaveLength(2);
  run.end("stop");
  await narrator.done;
  expect(payloads("chat").filter(({ state }) => state !== "delta")).toMatchObject([
    { state: "final", message: { content: [{ text: "one two" }] } },
  ]);
  expect(payloads("agent").map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test("what a run said is told when it is asked for, behind its beginning", async () => {
  const found = Promise.withResolvers<void>();
  const { hub, run, narrator } = tell({ news: { appended: () => undefined, changed: () => found.promise } });
  const { connection, payloads } = join(hub, { uses: true });
  narrator.tellings.place(connection);
  void run.emit([START, { type: "text-delta", text: "one" }, { type: "text-delta", text: " two" }]);
  const told = narrator.catchUp();
  expect(payloads("agent")).toEqual([]);
  found.resolve();
  await told;
  expect(payloads("agent").map(({ stream }) => stream)).toEqual(["lifecycle", "assistant", "assistant"]);
  expect(payloads("chat").at(-1)).toMatchObject({ message: { content: [{ text: "one two" }] } });
  expect(narrator.catchUp()).toBeUndefined();
});

test("a reader that was left out for a while gets all of it as what is new, once", () => {
  const { hub, run, narrator } = tell();
  const { connection, payloads, wire } = join(hub, { uses: true });
  narrator.tellings.place(connection);
  const say = (text: string) => {
    void run.emit([{ type: "text-delta", text }]);
    void narrator.catchUp();
  };
  say("one");
  wire.bufferedAmount = 2 ** 21;
  say(" two");
  wire.bufferedAmount = 0;
  say(" three");
  say(" four");
  expect(payloads("chat").map(({ deltaText, replace }) => [deltaText, replace])).toEqual([
    ["one", undefined],
    ["one two three", true],
    [" four", undefined],
  ]);
  // It sees that one is missing.
  expect(payloads("agent").map(({ seq }) => seq)).toEqual([1, 3, 4]);
});

test("who comes nearer hears what waited for it in its place, and all of the text, each once", () => {
  const { hub, run, narrator, bugs } = tell();
  const [client] = Array.from({ length: 100 }, () => join(hub));
  for (const connection of hub) narrator.tellings.place(connection);
  void run.emit([START, { type: "text-delta", text: "one" }]);
  // In a later turn.
  expect(client?.payloads("agent")).toEqual([]);
  client?.connection.use(session.key);
  narrator.tellings.place(client?.connection as Connection);
  void run.emit([{ type: "text-delta", text: " two" }]);
  void narrator.catchUp();
  expect(client?.payloads("agent").map(({ stream, seq }) => [stream, seq])).toEqual([
    ["lifecycle", 1],
    ["assistant", 2],
    ["assistant", 3],
  ]);
  expect(client?.payloads("chat").map(({ deltaText, replace }) => [deltaText, replace])).toEqual([
    ["one", undefined],
    [" two", undefined],
  ]);
  expect(bugs).toEqual([]);
});

test("who comes nearer hears what happened to a session in its order", () => {
  const { hub } = tell();
  const [client] = Array.from({ length: 100 }, () => join(hub));
  const news = { appended: () => undefined, changed: () => undefined };
  const narrators = new Narrators({ hub, news, runs: () => ({ all: new Map() }) as never, onBug() {} });
  const change = (ts: number) =>
    hub.tell(session, "sessions.changed", { sessionKey: session.key, agentId: "main", ts, session: null });
  change(1);
  client?.connection.use(session.key);
  narrators.place(client?.connection as Connection);
  change(2);
  expect(client?.payloads("sessions.changed").map(({ ts }) => ts)).toEqual([1, 2]);
});

test("of the keys that a client uses the latest are known", () => {
  const { connection } = join(tell().hub);
  const onInterest = vi.fn();
  connection.onInterest = onInterest;
  connection.use("first");
  connection.use("second");
  for (let key = 0; key < 998; key++) connection.use(String(key));
  connection.use("first");
  expect(onInterest).toHaveBeenCalledTimes(1000);
  connection.use("new");
  expect(["first", "second", "0", "new"].map((key) => connection.uses(key))).toEqual([true, false, true, true]);
  expect(onInterest).toHaveBeenCalledTimes(1001);
});
