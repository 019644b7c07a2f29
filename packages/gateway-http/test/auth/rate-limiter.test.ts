import { expect, test } from "vitest";
import { createRateLimiter } from "../../src/auth/rate-limiter.ts";
import { formatDuration } from "../../src/http/rate-limit.ts";

function start() {
  let time = 5000;
  const limiter = createRateLimiter(() => time);
  const pass = (ms: number) => {
    time += ms;
  };
  return { limiter, take: limiter.take, pass };
}

test("all of the limit may be used at once, and then comes back evenly", () => {
  const { take, pass } = start();
  const states = Array.from({ length: 4 }, () => take("a", 3));
  expect(states.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
    [true, 2],
    [true, 1],
    [true, 0],
    [false, 0],
  ]);
  expect(states[0]).toMatchObject({ limit: 3, resetMs: 20_000, waitMs: 0 });
  expect(states[3]).toMatchObject({ resetMs: 60_000, waitMs: 20_000 });
  pass(19_999);
  expect(take("a", 3).allowed).toBe(false);
  pass(1);
  expect(take("a", 3)).toMatchObject({ allowed: true, remaining: 0, waitMs: 20_000 });
});

test("what is refused does not make the wait longer", () => {
  const { take, pass } = start();
  take("a", 1);
  for (let second = 1; second < 60; second++) {
    pass(1000);
    expect(take("a", 1)).toMatchObject({ allowed: false, waitMs: 60_000 - second * 1000 });
  }
  pass(1000);
  expect(take("a", 1).allowed).toBe(true);
});

test("over many minutes a caller that never stops gets its limit, and no more than once that besides", () => {
  const { take, pass } = start();
  let served = 0;
  for (let tick = 0; tick < 10 * 60 * 20; tick++) {
    if (take("a", 30).allowed) served++;
    pass(50);
  }
  expect(served).toBeGreaterThanOrEqual(10 * 30);
  expect(served).toBeLessThanOrEqual(11 * 30);
});

test("callers do not know of each other", () => {
  const { take } = start();
  take("a", 1);
  expect(take("a", 1).allowed).toBe(false);
  expect(take("b", 1).allowed).toBe(true);
});

test("a changed limit applies to what was used before", () => {
  const { take } = start();
  for (let index = 0; index < 50; index++) take("a", 100);
  // Used up, but not for the 50 minutes that 50 requests of this limit are worth.
  expect(take("a", 1)).toMatchObject({ allowed: false, waitMs: 60_000 });
  expect(take("a", 60)).toMatchObject({ allowed: true, remaining: 9 });
});

test("callers of more than a minute ago are forgotten", () => {
  const { limiter, take, pass } = start();
  for (let index = 0; index < 1000; index++) take(`gone-${index}`, 1);
  expect(limiter.size).toBe(1000);
  pass(30_000);
  take("late", 1);
  pass(30_000);
  take("new", 1);
  expect(limiter.size).toBe(2);
});

test("durations are written as OpenAI writes them", () => {
  expect([0, 1, 120, 1000, 8640, 59_999, 60_000, 72_500, 360_000].map(formatDuration)).toEqual([
    "0s",
    "1ms",
    "120ms",
    "1s",
    "8.64s",
    "59.999s",
    "1m0s",
    "1m12.5s",
    "6m0s",
  ]);
});
