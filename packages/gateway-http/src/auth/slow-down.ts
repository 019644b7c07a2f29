const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 5000;
const MAX_WAITING = 4;

/** Makes failed attempts from this machine slow, where locking out would lock out everyone who works on it. */
export interface SlowDown {
  /** Milliseconds that the next failure would cost, when no more may wait; 0 when there is room. */
  fullFor(): number;
  /** Resolves after 250 ms, doubling with each failure to 5 s. */
  penalize(): Promise<void>;
}

/**
 * @param forgetMs - After this long without a failure the delay begins again at 250 ms.
 * @param now - Milliseconds of a clock that never goes back.
 */
export function createSlowDown(forgetMs: number, now: () => number): SlowDown {
  let waiting = 0;
  let failures = 0;
  let lastFailure = Number.NEGATIVE_INFINITY;
  const delay = () => Math.min(FIRST_DELAY_MS * 2 ** failures, MAX_DELAY_MS);

  return {
    fullFor: () => (waiting < MAX_WAITING ? 0 : delay()),
    penalize() {
      if (now() - lastFailure > forgetMs) failures = 0;
      const ms = delay();
      failures++;
      lastFailure = now();
      waiting++;
      // The place is kept for the whole delay, whether or not the client stays: else hanging up would buy the next try.
      return new Promise((resolve) => {
        const done = () => {
          waiting--;
          resolve();
        };
        setTimeout(done, ms).unref();
      });
    },
  };
}
