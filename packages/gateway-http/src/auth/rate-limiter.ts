import { GatewayError } from "../errors/gateway-error.ts";
import type { Caller } from "./caller.ts";

const MINUTE_MS = 60_000;
/** What sums of fractions may be off by. */
const EPSILON = 1e-6;

/** What a caller has left of its requests per minute. */
interface RateState {
  /** Whether this request is let through. */
  readonly allowed: boolean;
  readonly limit: number;
  /** Requests that would be let through now. */
  readonly remaining: number;
  /** Milliseconds until all of the limit is there again. */
  readonly resetMs: number;
  /** Milliseconds until one request is let through; 0 when one would be now. */
  readonly waitMs: number;
}

/**
 * Counts requests per minute by caller.
 *
 * A bucket for each: all of the limit may be used at once, and it comes back evenly, a request every 60 s / limit. So
 * whoever is refused waits for one request, not for the end of a window, which SDKs would not wait for.
 */
export interface RateLimiter {
  /** Takes one request of `limit` per minute, if one is left. A refused one costs nothing. */
  take(id: string, limit: number): RateState;
  /** Callers that are remembered: those of the last minute. */
  readonly size: number;
}

/** @param now milliseconds of a clock that never goes back */
export function createRateLimiter(now: () => number = () => performance.now()): RateLimiter {
  const buckets = new Map<string, { used: number; at: number }>();

  /** A bucket that nobody took from for a minute is full, whatever its limit, and so is one that is not there. */
  function forgetFull(time: number): void {
    for (const [id, { at }] of buckets) if (time - at >= MINUTE_MS) buckets.delete(id);
  }

  return {
    take(id, limit) {
      const time = now();
      const bucket = buckets.get(id);
      const perMs = limit / MINUTE_MS;
      // A limit that was lowered meanwhile is used up, not overdrawn.
      let used = bucket ? Math.min(limit, Math.max(0, bucket.used - (time - bucket.at) * perMs)) : 0;
      const allowed = used + 1 <= limit + EPSILON;
      if (allowed) {
        used++;
        if (!bucket) forgetFull(time);
        buckets.set(id, { used, at: time });
      }
      return {
        allowed,
        limit,
        remaining: Math.max(0, Math.floor(limit - used + EPSILON)),
        resetMs: toWholeMs(used / perMs),
        waitMs: toWholeMs((used + 1 - limit) / perMs),
      };
    },
    get size() {
      return buckets.size;
    },
  };
}

/**
 * Counts a request of a caller that has a limit.
 * @param tell told what is left of it, whether or not the request is let through
 * @throws GatewayError 429 `rate_limit_exceeded`
 */
export function countRequest(
  limiter: RateLimiter,
  { owner, limits: { requestsPerMinute } }: Caller,
  tell?: (state: RateState) => void,
): void {
  if (requestsPerMinute === undefined) return;
  const state = limiter.take(owner, requestsPerMinute);
  tell?.(state);
  if (state.allowed) return;
  const retryAfter = Math.max(1, Math.ceil(state.waitMs / 1000));
  throw new GatewayError(
    "rate_limit_exceeded",
    `This key may send ${state.limit} requests per minute. Try again in ${retryAfter} s.`,
    { retryAfter },
  );
}

/** Rounded up: who comes then is not too early. */
function toWholeMs(ms: number): number {
  return Math.max(0, Math.ceil(ms - EPSILON));
}
