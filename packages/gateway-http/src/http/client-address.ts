import type { IncomingMessage } from "node:http";

/**
 * Where a request comes from, through trusted proxies: the last address that none of them vouches for. What Fastify
 * calls `request.ip`, for what is no request of Fastify's.
 */
export function clientAddress(
  { headers, socket }: IncomingMessage,
  isTrusted: ((address: string | undefined) => boolean) | undefined,
): string {
  const peer = socket.remoteAddress ?? "";
  if (!isTrusted?.(peer)) return peer;
  const forwarded = String(headers["x-forwarded-for"] ?? "")
    .split(",")
    .map((address) => address.trim())
    .filter((address) => address !== "")
    .reverse();
  return forwarded.find((address) => !isTrusted(address)) ?? forwarded.at(-1) ?? peer;
}
