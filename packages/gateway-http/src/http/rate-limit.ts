import type { FastifyReply } from "fastify";
import type { Caller } from "../auth/caller.ts";
import { countRequest, type RateLimiter } from "../auth/rate-limiter.ts";

/**
 * Counts a request of a caller that has a limit, and says in OpenAI's headers what is left of it, whatever the answer.
 * @throws GatewayError 429 `rate_limit_exceeded`
 */
export function countHttpRequest(limiter: RateLimiter, caller: Caller, reply: FastifyReply): void {
  countRequest(limiter, caller, ({ limit, remaining, resetMs }) =>
    reply.headers({
      "x-ratelimit-limit-requests": String(limit),
      "x-ratelimit-remaining-requests": String(remaining),
      "x-ratelimit-reset-requests": formatDuration(resetMs),
    }),
  );
}

/** Whole milliseconds as OpenAI writes them: `120ms`, `1s`, `8.64s`, `6m0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  if (ms < 1000) return `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = `${(ms % 60_000) / 1000}s`;
  return minutes === 0 ? seconds : `${minutes}m${seconds}`;
}
