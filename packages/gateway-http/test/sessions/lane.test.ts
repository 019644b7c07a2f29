import { expect, test } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { createLanes, type LanePolicy } from "../../src/sessions/lane.ts";

/** Lanes, and a log of who was let in or turned away. */
function open(policy: LanePolicy, maxQueued = 8) {
  const lanes = createLanes(() => ({ concurrency: policy, maxQueued }));
  const log: string[] = [];
  async function enter(name: string, lane = "lane") {
    const controller = new AbortController();
    const abort = () => controller.abort(new GatewayError("run_aborted", name));
    const entered = lanes.enter(lane, { signal: controller.signal, interrupt: abort }).then(
      (leave) => {
        log.push(`${name} in`);
        return leave;
      },
      (error: GatewayError) => {
        log.push(`${name} ${error.code}`);
        return () => {};
      },
    );
    await settle();
    async function leave() {
      (await entered)();
      await settle();
    }
    return { abort, leave, signal: controller.signal };
  }
  async function enterBetween(name: string) {
    const entered = lanes.enterBetween("lane").then((leave) => {
      log.push(`${name} in`);
      return leave;
    });
    await settle();
    return async () => {
      (await entered)();
      await settle();
    };
  }
  return { enter, enterBetween, log, lanes };
}
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test("one at a time, first come first served", async () => {
  const { enter, log } = open("queue");
  const [a, b, c] = [await enter("a"), await enter("b"), await enter("c")];
  expect(log).toEqual(["a in"]);
  await a.leave();
  expect(log).toEqual(["a in", "b in"]);
  await b.leave();
  await c.leave();
  await enter("d");
  expect(log).toEqual(["a in", "b in", "c in", "d in"]);
});

test("distinct sessions do not wait for each other", async () => {
  for (const policy of ["queue", "reject", "interrupt"] as const) {
    const { enter, log } = open(policy);
    await enter("a", "one");
    await enter("b", "two");
    expect(log).toEqual(["a in", "b in"]);
  }
});

test("at most maxQueued wait", async () => {
  const { enter, log } = open("queue", 1);
  const a = await enter("a");
  await enter("b");
  await enter("c");
  expect(log).toEqual(["a in", "c queue_full"]);
  await a.leave();
  await enter("d");
  await enter("e");
  expect(log).toEqual(["a in", "c queue_full", "b in", "e queue_full"]);
});

test("with maxQueued 0 nobody waits", async () => {
  const { enter, log } = open("queue", 0);
  await enter("a");
  await enter("b");
  expect(log).toEqual(["a in", "b queue_full"]);
});

test("who gives up while waiting frees the place and is never let in", async () => {
  const { enter, log } = open("queue", 2);
  const a = await enter("a");
  const b = await enter("b");
  await enter("c");
  b.abort();
  await settle();
  await enter("d");
  await a.leave();
  expect(log).toEqual(["a in", "b run_aborted", "c in"]);
});

test("who gave up before does not enter", async () => {
  const lanes = createLanes(() => ({ concurrency: "queue", maxQueued: 8 }));
  const reason = new GatewayError("run_aborted", "gone");
  const entry = { signal: AbortSignal.abort(reason), interrupt() {} };
  await expect(lanes.enter("lane", entry)).rejects.toBe(reason);
  await lanes.enter("lane", { signal: new AbortController().signal, interrupt() {} });
});

test("leaving twice lets in one", async () => {
  const { enter, log } = open("queue");
  const a = await enter("a");
  await enter("b");
  await enter("c");
  await a.leave();
  await a.leave();
  expect(log).toEqual(["a in", "b in"]);
});

test("an abort after being let in changes nothing for the others", async () => {
  const { enter, log } = open("queue");
  const a = await enter("a");
  const b = await enter("b");
  await enter("c");
  await a.leave();
  b.abort();
  await settle();
  expect(log).toEqual(["a in", "b in"]);
  await b.leave();
  expect(log).toEqual(["a in", "b in", "c in"]);
});

test("reject: who comes while one runs is turned away", async () => {
  const { enter, log } = open("reject");
  const a = await enter("a");
  await enter("b");
  await a.leave();
  await enter("c");
  expect(log).toEqual(["a in", "b session_busy", "c in"]);
});

test("interrupt: the newest ends the one that runs and waits for it to leave", async () => {
  const { enter, log } = open("interrupt");
  const a = await enter("a");
  await enter("b");
  expect([a.signal.aborted, log]).toEqual([true, ["a in"]]);
  await a.leave();
  expect(log).toEqual(["a in", "b in"]);
});

test("interrupt: of those that wait only the newest is left", async () => {
  const { enter, log } = open("interrupt");
  const a = await enter("a");
  for (const name of ["b", "c", "d"]) await enter(name);
  await a.leave();
  expect(log).toEqual(["a in", "b run_aborted", "c run_aborted", "d in"]);
});

test("interrupt: the newest needs no place in the queue", async () => {
  const { enter, log } = open("interrupt", 0);
  const a = await enter("a");
  await enter("b");
  await a.leave();
  expect(log).toEqual(["a in", "b in"]);
});

test.each(["queue", "reject", "interrupt"] as const)(
  "%s: what is no run waits its turn, and ends nobody",
  async (policy) => {
    const { enter, enterBetween, log, lanes } = open(policy, 1);
    const a = await enter("a");
    const leaveFirst = await enterBetween("first");
    const leaveSecond = await enterBetween("second");
    expect([a.signal.aborted, log, lanes.busy, lanes.waiting]).toEqual([false, ["a in"], 1, 0]);
    await a.leave();
    await leaveFirst();
    await leaveSecond();
    expect([log, lanes.busy]).toEqual([["a in", "first in", "second in"], 0]);
  },
);

test.each(["queue", "reject", "interrupt"] as const)("%s: a run waits for what is no run", async (policy) => {
  const { enter, enterBetween, log, lanes } = open(policy, 0);
  const leave = await enterBetween("short");
  const run = await enter("run");
  expect([log, lanes.busy, lanes.waiting]).toEqual([["short in"], 0, 1]);
  await leave();
  expect([log, run.signal.aborted, lanes.busy]).toEqual([["short in", "run in"], false, 1]);
});

test("what is no run takes no place in the queue", async () => {
  const { enter, enterBetween, log } = open("queue", 1);
  const a = await enter("a");
  const leave = await enterBetween("short");
  const b = await enter("b");
  await enter("c");
  expect(log).toEqual(["a in", "c queue_full"]);
  await a.leave();
  await leave();
  await b.leave();
  expect(log).toEqual(["a in", "c queue_full", "short in", "b in"]);
});
