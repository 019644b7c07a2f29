import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { isHostName } from "../config/network.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { isListedOrigin } from "./cors.ts";

/** Names by which containers reach their host; no public DNS answers for them. */
const CONTAINER_HOSTS = new Set(["host.docker.internal", "host.containers.internal"]);

/**
 * Refuses what was not sent to a name of this gateway.
 *
 * @param hosts - `gateway.http.hosts`, lower case.
 * @param status - That of a host which is not served, where it is not the usual one.
 * @throws GatewayError 400 `malformed_request`, 403 `host_not_allowed`
 */
export function requireHost(request: IncomingMessage, hosts: readonly string[], status?: number): void {
  if (!hasOneHost(request)) {
    throw new GatewayError("malformed_request", "A request needs exactly one Host header.", { param: "host" });
  }
  if (isAllowedHost(request.headers.host, hosts)) return;
  throw new GatewayError("host_not_allowed", "This Host is not served here; gateway.http.hosts lists those that are.", {
    param: "host",
    status,
  });
}

/** RFC 9112 §3.2: exactly one, but HTTP/1.0 did not know it. Node keeps the first of several. */
function hasOneHost({ rawHeaders, headers, httpVersionMinor }: IncomingMessage): boolean {
  if (headers.host === undefined) return httpVersionMinor === 0;
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === "host") count++;
  }
  return count === 1;
}

/** Whether a request comes from a page that is neither this gateway's own nor a listed one. */
export function isForeignOrigin(
  { origin, host }: IncomingMessage["headers"],
  { hosts, cors }: { readonly hosts: readonly string[]; readonly cors: { readonly origins: readonly string[] } },
): boolean {
  return !isListedOrigin(origin, cors.origins) && !isAllowedOrigin(origin, host, hosts);
}

/**
 * Whether a request's `Host` is a name this gateway answers to. A web page that points its own name at 127.0.0.1 (DNS
 * rebinding) can send requests here, but not with another `Host` than its own.
 *
 * @param hosts - `gateway.http.hosts`, lower case.
 */
export function isAllowedHost(hostHeader: string | undefined, hosts: readonly string[]): boolean {
  const host = parseHost(hostHeader);
  if (host === undefined) return false;
  const { name, isAddress } = host;
  if (isAddress || name === "localhost" || name.endsWith(".localhost") || CONTAINER_HOSTS.has(name)) return true;
  return hosts.includes(name);
}

/**
 * Whether a request may come from the page that its `Origin` names: none (not a page), this gateway's own, or one on a
 * listed host. Own means the host and port of `Host`, which {@link isAllowedHost} has to have allowed first.
 *
 * @param hosts - `gateway.http.hosts`, lower case; any scheme and port of them will do.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  hostHeader: string | undefined,
  hosts: readonly string[],
): boolean {
  if (origin === undefined) return true;
  const parts = /^(https?):\/\/([^/?#\\@]+)$/i.exec(origin);
  const from = parseHost(parts?.[2]);
  if (from === undefined) return false;
  if (hosts.includes(from.name)) return true;
  const own = parseHost(hostHeader);
  // A proxy that ends TLS passes on a Host without a port: then the port is the scheme's own.
  const schemePort = parts?.[1]?.toLowerCase() === "https" ? 443 : 80;
  return own !== undefined && own.name === from.name && (own.port ?? schemePort) === (from.port ?? schemePort);
}

interface Host {
  /** Lower case, without a trailing dot or brackets. */
  readonly name: string;
  readonly isAddress: boolean;
  readonly port: number | undefined;
}

function parseHost(header: string | undefined): Host | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{0,5}))?$/.exec(header ?? "");
  if (match === null) return undefined;
  const [, bracketed, plain = "", digits = ""] = match;
  const port = digits === "" ? undefined : Number(digits);
  if (port !== undefined && port > 65_535) return undefined;
  const name = (bracketed ?? plain).toLowerCase().replace(/(?<=.)\.$/, "");
  const family = isIP(name);
  if (bracketed !== undefined) return family === 6 ? { name, isAddress: true, port } : undefined;
  return family === 4 || isHostName(name) ? { name, isAddress: family === 4, port } : undefined;
}
