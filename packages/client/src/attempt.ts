import { AbortError, TimeoutError, toAbortError } from "./errors.ts";

/** Longer delays make `setTimeout` fire at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** One try of a request, and what can end it: the caller's signal, its time limit, and `abort()`. */
export interface Attempt {
  /** Its reason is the error to throw. */
  readonly signal: AbortSignal;
  abort(): void;
  /** What was to come in time has come. */
  stopTimer(): void;
  /** Lets go of the timer and of the caller's signal. */
  release(): void;
  /** Does it, unless the attempt ends first: not everything that is waited for knows signals. */
  until<T>(task: () => Promise<T>): Promise<T>;
}

/**
 * @param timeout - Milliseconds. Without it there is no limit.
 * @param awaited - What is to come in that time.
 */
export function createAttempt(
  outer: AbortSignal | undefined,
  timeout = Number.POSITIVE_INFINITY,
  awaited?: string,
): Attempt {
  const controller = new AbortController();
  const { signal } = controller;
  const onAbort = () => controller.abort(toAbortError(outer as AbortSignal));
  const onTimeout = () => controller.abort(new TimeoutError(`No ${awaited} within ${timeout} ms.`));
  const timer = timeout <= LONGEST_TIMER ? setTimeout(onTimeout, timeout) : undefined;
  // Not `AbortSignal.any`: a signal that outlives many requests would have to remember them all.
  if (outer?.aborted) onAbort();
  else outer?.addEventListener("abort", onAbort, { once: true });

  return {
    signal,
    abort: () => controller.abort(new AbortError("The request was aborted.")),
    stopTimer: () => clearTimeout(timer),
    release() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", onAbort);
    },
    until: (task) =>
      new Promise((resolve, reject) => {
        const leave = () => reject(signal.reason);
        if (signal.aborted) return leave();
        signal.addEventListener("abort", leave, { once: true });
        task()
          .then(resolve, reject)
          .finally(() => signal.removeEventListener("abort", leave));
      }),
  };
}

/** @throws AbortError as soon as the signal is aborted */
export async function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  const pause = createAttempt(signal);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await pause.until(
      () =>
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, milliseconds);
        }),
    );
  } finally {
    clearTimeout(timer);
    pause.release();
  }
}
