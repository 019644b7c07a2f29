import fc from "fast-check";
import { expect, test } from "vitest";
import { createAttemptLimiter } from "../../src/auth/attempt-limiter.ts";

const LIMITS = { maxAttempts: 10, windowMs: 60_000, lockoutMs: 300_000 };

test("the tenth failure within a minute locks an address out for five", () => {
  let time = 0;
  const limiter = createAttemptLimiter({ ...LIMITS, now: () => time });
  for (let i = 0; i < 9; i++) limiter.recordFailure("1.2.3.4");
  expect(limiter.lockedFor("1.2.3.4")).toBe(0);
  time = 59_999;
  limiter.recordFailure("1.2.3.4");
  expect(limiter.lockedFor("1.2.3.4")).toBe(300_000);
  expect(limiter.lockedFor("1.2.3.5")).toBe(0);
  time += 299_999;
  expect(limiter.lockedFor("1.2.3.4")).toBe(1);
  time += 1;
  expect(limiter.lockedFor("1.2.3.4")).toBe(0);
  limiter.recordFailure("1.2.3.4");
  expect(limiter.lockedFor("1.2.3.4")).toBe(0);
});

test("a failure is forgotten after a minute", () => {
  let time = 0;
  const limiter = createAttemptLimiter({ ...LIMITS, now: () => time });
  limiter.recordFailure("a");
  time = 60_000;
  for (let i = 0; i < 9; i++) limiter.recordFailure("a");
  expect(limiter.lockedFor("a")).toBe(0);
  limiter.recordFailure("a");
  expect(limiter.lockedFor("a")).toBe(300_000);
});

test("addresses of one /64 are locked out together, mapped IPv4 with its IPv4", () => {
  const limiter = createAttemptLimiter({ ...LIMITS, maxAttempts: 2, now: () => 0 });
  limiter.recordFailure("2001:db8::1");
  limiter.recordFailure("2001:db8::2");
  expect(limiter.lockedFor("2001:db8::dead:beef")).toBe(300_000);
  expect(limiter.lockedFor("2001:db8:0:1::1")).toBe(0);
  limiter.recordFailure("::ffff:1.2.3.4");
  limiter.recordFailure("1.2.3.4");
  expect(limiter.lockedFor("::ffff:102:304")).toBe(300_000);
});

test("failures during a lockout do not lengthen it", () => {
  let time = 0;
  const limiter = createAttemptLimiter({ ...LIMITS, maxAttempts: 1, now: () => time });
  limiter.recordFailure("a");
  time = 100_000;
  limiter.recordFailure("a");
  expect(limiter.lockedFor("a")).toBe(200_000);
});

test("the table is bounded: the address that failed longest ago is forgotten", () => {
  const limiter = createAttemptLimiter({ ...LIMITS, maxAttempts: 2, maxAddresses: 2, now: () => 0 });
  limiter.recordFailure("a");
  limiter.recordFailure("b");
  limiter.recordFailure("a");
  limiter.recordFailure("c");
  expect(limiter.lockedFor("a")).toBe(300_000);
  limiter.recordFailure("b");
  expect(limiter.lockedFor("b")).toBe(0);
});

test("it behaves like a slow model that remembers everything", () => {
  const limits = { maxAttempts: 3, windowMs: 10, lockoutMs: 25 };
  const steps = fc.array(
    fc.record({ wait: fc.integer({ min: 0, max: 12 }), address: fc.constantFrom("a", "b", "::1", "::2") }),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(steps, (list) => {
      let time = 0;
      const limiter = createAttemptLimiter({ ...limits, now: () => time });
      const failures: { key: string; time: number }[] = [];
      const locks: { key: string; from: number }[] = [];
      const modelLock = (key: string) =>
        Math.max(0, ...locks.filter((lock) => lock.key === key).map((lock) => lock.from + limits.lockoutMs - time));
      for (const { wait, address } of list) {
        time += wait;
        const key = address.startsWith("::") ? "v6" : address;
        expect(limiter.lockedFor(address)).toBe(modelLock(key));
        limiter.recordFailure(address);
        if (modelLock(key) > 0) continue;
        failures.push({ key, time });
        const lastLock = Math.max(-1, ...locks.filter((lock) => lock.key === key).map((lock) => lock.from));
        const counted = failures.filter((f) => f.key === key && f.time > time - limits.windowMs && f.time > lastLock);
        if (counted.length >= limits.maxAttempts) locks.push({ key, from: time });
        expect(limiter.lockedFor(address)).toBe(modelLock(key));
      }
    }),
  );
});
