import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createTogetherTeller } from "../../src/observe/tell-together.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the first is told at once, those that follow together, and the next after a while at once again", () => {
  const told: number[] = [];
  const happens = createTogetherTeller((count) => told.push(count), 1000);
  for (let index = 0; index < 5; index++) happens();
  expect(told).toEqual([1]);
  vi.advanceTimersByTime(1000);
  expect(told).toEqual([1, 4]);
  happens();
  vi.advanceTimersByTime(999);
  expect(told).toEqual([1, 4]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual([1, 4, 1]);
  vi.advanceTimersByTime(1000);
  happens();
  expect(told).toEqual([1, 4, 1, 1]);
  vi.advanceTimersByTime(10_000);
  expect(told).toEqual([1, 4, 1, 1]);
  expect(vi.getTimerCount()).toBe(0);
});
