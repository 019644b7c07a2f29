import { type SocketError, TimeoutError } from "../errors.ts";

/** Milliseconds. */
const RETRY_DELAY = 1_000;

/**
 * Finds something out, which takes a while: when that is wanted again meanwhile, then once more after that, and not twice
 * at a time. What may pass is waited for.
 *
 * @param task - Gets what says whether it is wanted once more: what it has found may be too old.
 * @param fail - Told what will not pass.
 */
export function createInTurn(task: (isOld: () => boolean) => Promise<void>, fail: (error: Error) => void): () => void {
  let isBusy = false;
  let wanted = false;
  return async () => {
    wanted = true;
    if (isBusy) return;
    isBusy = true;
    while (wanted) {
      wanted = false;
      try {
        await task(() => wanted);
      } catch (error) {
        const { retryable, retryAfterMs = RETRY_DELAY } = error as Partial<SocketError>;
        if (retryable || error instanceof TimeoutError) {
          await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
          wanted = true;
        } else fail(error as Error);
      }
    }
    isBusy = false;
  };
}
