import { getEventListeners } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Run } from "../../src/runs/run.ts";
import { createSlots } from "../../src/runs/slots.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settle = () => vi.advanceTimersByTimeAsync(0);

/** Slots, and a log of who was let in or turned away. */
function open(limits: { concurrentRuns: number; queuedRuns?: number; queueTimeoutMs?: number }) {
  const now = { queuedRuns: 8, queueTimeoutMs: 1000, ...limits };
  const slots = createSlots(() => now);
  const log: string[] = [];
  const errors: GatewayError[] = [];
  async function take(name: string) {
    const run = new Run(name, 0, false);
    void slots.take(run).then(
      () => log.push(name),
      (error: GatewayError) => {
        log.push(`${name} ${error.code}`);
        errors.push(error);
        run.fail(error);
      },
    );
    await settle();
    return run;
  }
  async function end(run: Run) {
    run.end("stop");
    await settle();
  }
  return { slots, limits: now, log, errors, take, end };
}

test("who comes when all places are taken waits, first come first served", async () => {
  const { slots, log, take, end } = open({ concurrentRuns: 2 });
  const [a, b] = [await take("a"), await take("b")];
  for (const name of ["c", "d", "e"]) await take(name);
  expect(log).toEqual(["a", "b"]);
  expect([slots.running, slots.waiting]).toEqual([2, 3]);
  await end(b);
  await end(a);
  expect(log).toEqual(["a", "b", "c", "d"]);
  expect([slots.running, slots.waiting]).toEqual([2, 1]);
});

test("however a run ends, its place is free", async () => {
  const { slots, log, take } = open({ concurrentRuns: 1 });
  const a = await take("a");
  const b = await take("b");
  await take("c");
  a.abort(new GatewayError("run_aborted", "x"));
  await settle();
  b.fail(new GatewayError("internal_error", "x"));
  await settle();
  expect(log).toEqual(["a", "b", "c"]);
  expect(slots.running).toBe(1);
});

test("at most queuedRuns wait; the next is refused at once", async () => {
  const { log, take } = open({ concurrentRuns: 1, queuedRuns: 1 });
  for (const name of ["a", "b", "c"]) await take(name);
  expect(log).toEqual(["a", "c gateway_overloaded"]);
});

test("who waited for queueTimeoutMs is refused, and the others wait on", async () => {
  const { slots, log, take, end } = open({ concurrentRuns: 1 });
  const a = await take("a");
  await take("b");
  await vi.advanceTimersByTimeAsync(999);
  await take("c");
  expect(log).toEqual(["a"]);
  await vi.advanceTimersByTimeAsync(1);
  expect(log).toEqual(["a", "b gateway_overloaded"]);
  expect(slots.waiting).toBe(1);
  await end(a);
  expect(log.at(-1)).toBe("c");
});

test("who leaves while waiting makes room behind it, and no listener or timer stays", async () => {
  const { slots, log, take, end } = open({ concurrentRuns: 1, queuedRuns: 2, queueTimeoutMs: 60_000 });
  const a = await take("a");
  const b = await take("b");
  const c = await take("c");
  b.abort(new GatewayError("run_aborted", "x"));
  await settle();
  expect([slots.waiting, log.at(-1)]).toEqual([1, "b run_aborted"]);
  const d = await take("d");
  await end(a);
  await end(c);
  expect(log).toEqual(["a", "b run_aborted", "c", "d"]);
  await end(d);
  expect([slots.running, slots.waiting, vi.getTimerCount()]).toEqual([0, 0, 0]);
  for (const { signal } of [a, b, c, d]) expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("a run that was aborted before takes no place", async () => {
  const { slots, log } = open({ concurrentRuns: 1 });
  const run = new Run("x", 0, false);
  run.abort(new GatewayError("run_aborted", "x"));
  await expect(slots.take(run)).rejects.toMatchObject({ code: "run_aborted" });
  expect([slots.running, log]).toEqual([0, []]);
});

test("limits that change apply to those who wait", async () => {
  const { slots, limits, log, take, end } = open({ concurrentRuns: 1 });
  const runs = [await take("a"), await take("b"), await take("c"), await take("d")];
  limits.concurrentRuns = 3;
  slots.fill();
  await settle();
  expect(log).toEqual(["a", "b", "c"]);
  limits.concurrentRuns = 1;
  await end(runs[0] as Run);
  await end(runs[1] as Run);
  expect(log).toEqual(["a", "b", "c"]);
  await end(runs[2] as Run);
  expect(log).toEqual(["a", "b", "c", "d"]);
});

test("retry-after is how long a place should take, from 1 to 30 seconds", async () => {
  const { errors, take, end, slots } = open({ concurrentRuns: 2, queuedRuns: 3, queueTimeoutMs: 600_000 });
  expect(slots.overloaded("x").retryAfter).toBe(1);
  const first = await take("first");
  await vi.advanceTimersByTimeAsync(4000);
  await end(first);
  for (const name of ["a", "b", "c", "d", "e", "refused"]) await take(name);
  // Runs take 4 s, two at a time, and three wait already: the fourth in line has its place after 8 s.
  expect(errors.map(({ code, retryAfter }) => [code, retryAfter])).toEqual([["gateway_overloaded", 8]]);
});

test("retry-after has a bound, for runs that take very long", async () => {
  const { slots, take, end } = open({ concurrentRuns: 1 });
  const run = await take("a");
  await vi.advanceTimersByTimeAsync(3_600_000);
  await end(run);
  expect(slots.overloaded("x").retryAfter).toBe(30);
});
