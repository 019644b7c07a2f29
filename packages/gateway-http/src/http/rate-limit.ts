import type { FastifyReply } from "fastify";
import type { Caller } from "../auth/caller.ts";
import type { RateLimiter } from "../auth/rate-limiter.ts";
import { GatewayError } from "../errors/gateway-error.ts";

/**
 * Counts a request of a caller that has a limit, and says in OpenAI's headers what is left of it, whatever the answer.
 * @throws GatewayError 429 `rate_limit_exceeded`
 */
export function countRequest(limiter: RateLimiter, { owner, limits }: Caller, reply: FastifyReply): void {
  const { requestsPerMinute } = limits;
  if (requestsPerMinute === undefined) return;
  const { allowed, limit, remaining, resetMs, waitMs } = limiter.take(owner, requestsPerMinute);
  reply.headers({
    "x-ratelimit-limit-requests": String(limit),
    "x-ratelimit-remaining-requests": String(remaining),
    "x-ratelimit-reset-requests": formatDuration(resetMs),
  });
  if (allowed) return;
  const retryAfter = Math.max(1, Math.ceil(waitMs / 1000));
  throw new GatewayError(
    "rate_limit_exceeded",
    `This key may send ${limit} requests per minute. Try again in ${retryAfter} s.`,
    { retryAfter },
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
