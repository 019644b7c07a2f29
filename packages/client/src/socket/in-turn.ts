import { LONGEST_TIMER, wait } from "../attempt.ts";
import { type SocketError, TimeoutError } from "../errors.ts";

/** Milliseconds, at least. */
const RETRY_DELAY = 1_000;

/**
 * Finds something out, which takes a while: when that is wanted again meanwhile, then once more after that, and not twice
 * at a time. What may pass is waited for.
 *
 * @param fail - Told what will not pass.
 * @param signal - Nobody wants it any more.
 */
export function createInTurn(task: () => Promise<void>, fail: (error: Error) => void, signal: AbortSignal): () => void {
  let isBusy = false;
  let wanted = false;
  return async () => {
    wanted = true;
    if (isBusy) return;
    isBusy = true;
    while (wanted && !signal.aborted) {
      wanted = false;
      try {
        await task();
      } catch (error) {
        const { retryable, retryAfterMs = 0 } = error as Partial<SocketError>;
        if (retryable || error instanceof TimeoutError) {
          wanted = true;
          await wait(Math.min(Math.max(retryAfterMs, RETRY_DELAY), LONGEST_TIMER), signal).catch(() => {});
        } else fail(error as Error);
      }
    }
    isBusy = false;
  };
}
