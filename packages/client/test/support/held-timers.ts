import { vi } from "vitest";

/** Timers that go off when the test says so. */
export interface HeldTimers {
  /** How many there are. */
  readonly size: number;
  /** Lets one go off: `false` when there is none. Those it sets are held, too. */
  fire(): boolean;
}

/** @param delay - Milliseconds of the timers to hold; those of the back-off take a hundredth, all others their time. */
export function holdTimers(delay: number): HeldTimers {
  const held = new Map<unknown, () => void>();
  let isFiring = false;
  const { setTimeout, clearTimeout } = globalThis;
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((task: () => void, after = 0, ...rest: []) => {
    // Less a part by chance it is no whole number. The tick of Node's own `fetch` is (499 ms), and keeps its time.
    const isBackOff = !Number.isInteger(after) && after >= 375 && after <= 8_000;
    if (after !== delay && !isFiring) return setTimeout(task, isBackOff ? after / 100 : after, ...rest);
    const timer = {};
    held.set(timer, task);
    return timer;
  }) as typeof globalThis.setTimeout);
  vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
    if (!held.delete(timer)) clearTimeout(timer);
  });
  return {
    get size() {
      return held.size;
    },
    fire() {
      const [first] = held;
      if (!first) return false;
      const [timer, task] = first;
      held.delete(timer);
      isFiring = true;
      task();
      isFiring = false;
      return true;
    },
  };
}
