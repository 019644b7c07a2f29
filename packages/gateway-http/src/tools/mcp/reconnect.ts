/** Between two streams: for the answer of a call at least the first, for news up to the last. */
const SHORTEST_WAIT_MS = 100;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

/**
 * When to ask for a stream again that ended. One that somebody waits for is asked for when the server says so; that of
 * news, which some servers end at once, after twice as long each time.
 */
export function createReconnector(isWaitedFor: () => boolean): (reconnect: () => void, waitMs: number) => () => void {
  let pause = FIRST_WAIT_MS;
  let due = performance.now();
  return (reconnect, asked) => {
    const now = performance.now();
    if (now - due > LONGEST_WAIT_MS) pause = FIRST_WAIT_MS;
    let wait = Math.max(asked, SHORTEST_WAIT_MS);
    if (!isWaitedFor()) {
      wait = Math.max(asked, pause);
      pause = Math.min(2 * pause, LONGEST_WAIT_MS);
    }
    due = now + wait;
    const timer = setTimeout(reconnect, wait).unref();
    return () => clearTimeout(timer);
  };
}
