import type { IncomingMessage } from "node:http";
import { isLoopbackHost } from "../config/network.ts";

const FORWARDED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/**
 * Whether a request comes from this machine. One that a proxy passed on does not, though the proxy may run here: a
 * forwarded header of a peer that is not trusted tells nothing but that.
 */
export function isLocal({
  headers,
  socket,
  ip,
}: Pick<IncomingMessage, "headers" | "socket"> & { ip: string }): boolean {
  if (!isLoopbackHost(socket.remoteAddress ?? "") || !isLoopbackHost(ip)) return false;
  return !FORWARDED.some((name) => headers[name] !== undefined);
}
