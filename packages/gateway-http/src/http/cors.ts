import { HEADERS } from "@openclaw/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";

/** What a page may read of an answer, beside what every page may. */
const EXPOSED = [
  HEADERS.requestId,
  HEADERS.runId,
  HEADERS.sessionKey,
  HEADERS.idempotencyReplayed,
  HEADERS.retryAfter,
  HEADERS.shouldRetry,
  "x-ratelimit-limit-requests",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-reset-requests",
].join(", ");

/** What is served on any path: each says itself (405) which of these it has. */
const METHODS = "GET, HEAD, POST, PATCH, DELETE";

/** How long a browser need not ask again, in seconds. A config that was reloaded is followed after this. */
const MAX_AGE = "600";

/**
 * What lets pages of listed origins read an answer (the Fetch standard's CORS protocol). Without credentials: what a page
 * may do it may do by the key it sends, never by a cookie. Another origin gets no word of it.
 *
 * `@fastify/cors` is not used: it answers an OPTIONS request that is no preflight, takes the 404 of unknown paths, and
 * is not asked about what the framework refuses by itself.
 *
 * @param origins - `gateway.http.cors.origins`
 */
export function corsHeaders(origin: string | undefined, origins: readonly string[]): Record<string, string> {
  if (origins.length === 0) return {};
  if (!isListedOrigin(origin, origins)) return { vary: "origin" };
  return { vary: "origin", "access-control-allow-origin": origin, "access-control-expose-headers": EXPOSED };
}

/** Whether a page may use the gateway. `null`, which any sandboxed page may call itself, cannot be listed. */
export function isListedOrigin(origin: string | undefined, origins: readonly string[]): origin is string {
  return origin !== undefined && origins.includes(origin);
}

/** Whether a browser asks on behalf of a listed page what it may send. It sends no credentials with the question. */
export function isPreflight({ method, headers }: FastifyRequest, origins: readonly string[]): boolean {
  if (method !== "OPTIONS" || headers["access-control-request-method"] === undefined) return false;
  return isListedOrigin(headers.origin, origins);
}

/** Answers a preflight, beside what {@link corsHeaders} says. Whether the endpoint is on, the request itself hears. */
export function answerPreflight({ headers }: FastifyRequest, reply: FastifyReply): void {
  const asked = headers["access-control-request-headers"];
  if (asked !== undefined) reply.header("access-control-allow-headers", asked);
  reply
    .code(204)
    .headers({
      "access-control-allow-methods": METHODS,
      "access-control-max-age": MAX_AGE,
      vary: "origin, access-control-request-headers",
    })
    .send();
}
