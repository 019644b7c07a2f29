import { type SocketError, TimeoutError } from "../errors.ts";

/** Milliseconds, at least. */
const RETRY_DELAY = 1_000;

/**
 * Finds something out, which takes a while: when that is wanted again meanwhile, then once more after that, and not twice
 * at a time. What may pass is waited for.
 *
 * @param fail - Told what will not pass.
 */
export function createInTurn(task: () => Promise<void>, fail: (error: Error) => void): () => void {
  let isBusy = false;
  let wanted = false;
  return async () => {
    wanted = true;
    if (isBusy) return;
    isBusy = true;
    while (wanted) {
      wanted = false;
      try {
        await task();
      } catch (error) {
        const { retryable, retryAfterMs = 0 } = error as Partial<SocketError>;
        if (retryable || error instanceof TimeoutError) {
          await new Promise((resolve) => setTimeout(resolve, Math.max(retryAfterMs, RETRY_DELAY)));
          wanted = true;
        } else fail(error as Error);
      }
    }
    isBusy = false;
  };
}
