import { GatewayError } from "../errors/gateway-error.ts";
import type { Run } from "./run.ts";

/** `gateway.limits`. */
export interface RunLimits {
  /** Runs under way at a time. */
  concurrentRuns: number;
  /** Runs that may wait for one of them to end. */
  queuedRuns: number;
  queueTimeoutMs: number;
}

/** The longest that a refused caller is told to wait, in seconds. OpenAI's SDKs do not listen to 60 and more. */
const MAX_RETRY_AFTER = 30;
/** How much the last run counts in how long runs take lately. */
const NEWEST = 0.2;

/** The places that runs of all callers share. */
export interface Slots {
  /**
   * Takes a place, and waits for one where there is none, first come first served. The end of the run gives it back.
   * @throws GatewayError 503 `gateway_overloaded` when too many wait, or when it took too long; the signal's reason
   * when it aborts while waiting
   */
  take(run: Pick<Run, "signal" | "result">): Promise<void>;
  /** Lets in who waits, as far as there are places: to be called when there may be more of them. */
  fill(): void;
  /** 503 `gateway_overloaded`, with how long it should take until a place is free. */
  overloaded(message: string): GatewayError;
  /** Runs that have a place, and runs that wait for one. */
  readonly running: number;
  readonly waiting: number;
}

/**
 * @param limits those of now: asked for each run that comes
 * @param onFull told of everyone who is refused
 */
export function createSlots(limits: () => RunLimits, onFull?: () => void): Slots {
  /** In the order they came. */
  const waiting = new Set<() => void>();
  let running = 0;
  let usualMs = 0;

  function hold(run: Pick<Run, "result">): void {
    running++;
    const since = performance.now();
    void run.result.then(() => {
      const ms = performance.now() - since;
      usualMs = usualMs === 0 ? ms : usualMs + (ms - usualMs) * NEWEST;
      running--;
      fill();
    });
  }

  function fill(): void {
    const { concurrentRuns } = limits();
    for (const admit of waiting) {
      if (running >= concurrentRuns) return;
      admit();
    }
  }

  function overloaded(message: string): GatewayError {
    onFull?.();
    const places = limits().concurrentRuns;
    const seconds = Math.ceil((usualMs * (waiting.size + 1)) / places / 1000);
    return new GatewayError("gateway_overloaded", message, {
      retryAfter: Math.min(MAX_RETRY_AFTER, Math.max(1, seconds)),
    });
  }

  return {
    fill,
    overloaded,
    get running() {
      return running;
    },
    get waiting() {
      return waiting.size;
    },
    async take(run) {
      const { signal } = run;
      signal.throwIfAborted();
      const { concurrentRuns, queuedRuns, queueTimeoutMs } = limits();
      if (running < concurrentRuns && waiting.size === 0) return hold(run);
      if (waiting.size >= queuedRuns) throw overloaded("All runs are taken, and too many wait for one.");
      return new Promise((resolve, reject) => {
        const leave = () => {
          waiting.delete(admit);
          clearTimeout(timer);
          signal.removeEventListener("abort", gone);
        };
        const admit = () => {
          leave();
          hold(run);
          resolve();
        };
        const gone = () => {
          leave();
          reject(signal.reason);
        };
        const timer = setTimeout(() => {
          leave();
          reject(overloaded(`No run ended within ${queueTimeoutMs / 1000} s to make room for this one.`));
        }, queueTimeoutMs);
        signal.addEventListener("abort", gone, { once: true });
        waiting.add(admit);
      });
    },
  };
}
