import type { SocketScope } from "@openclaw/protocol/wire";
import { type ClientOptions, checkOptions, misuse, toBaseUrl } from "../options.ts";

/** Who connects, as the gateway's log and lists show it. */
export interface SocketClientInfo {
  /** What kind of client, as `webchat` or `gateway-client`. */
  id: string;
  version: string;
  /** Where it runs. */
  platform: string;
  /** How it is used, as `webchat` or `backend`. */
  mode: string;
  /** For people. */
  displayName?: string;
}

export interface SocketOptions extends Pick<ClientOptions, "token"> {
  /** The gateway's address, `http(s)://` or `ws(s)://`, as for `createClient`. In a page: `location.origin`. */
  baseUrl: string;
  /**
   * Milliseconds until a request has its answer, a wait for the connection included. Of a handshake's two steps, each
   * may take as long, but no longer than the 15 s that a gateway gives it.
   * @defaultValue 30_000
   */
  timeout?: number | undefined;
  /**
   * What this socket wants to be allowed. The gateway grants those of them that the token has.
   * @defaultValue `["operator.read", "operator.write"]`
   */
  scopes?: readonly SocketScope[] | undefined;
  /**
   * What the gateway is to know that is understood here. With `session-scoped-events` it tells only of sessions that are
   * watched, and of a run in another one `send` hears nothing.
   * @defaultValue `["tool-events"]`
   */
  caps?: readonly string[] | undefined;
  /**
   * Who connects.
   * @defaultValue in a page `{ id: "webchat", mode: "webchat" }`, elsewhere `{ id: "gateway-client", mode: "backend" }`
   */
  client?: Partial<SocketClientInfo> | undefined;
  /**
   * What connects, for runtimes without the global one: a class like it.
   * @defaultValue the global `WebSocket`
   */
  WebSocket?: WebSocketClass | undefined;
}

/** As that of browsers, or of the package `ws`. */
export type WebSocketClass = new (
  url: string,
) => {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  /** Ends it at once, where there is that. */
  terminate?(): void;
};

/** Of `timeout`, in milliseconds. */
export const REQUEST_TIMEOUT = 30_000;

/** @throws OpenClawError, which says what is wrong and never what the options hold */
export function checkSocketOptions(options: SocketOptions): void {
  if (typeof options !== "object" || options === null) misuse("createSocket needs options: { baseUrl, token }.");
  checkOptions(options);
  for (const name of ["scopes", "caps"] as const) {
    const list: unknown = options[name];
    if (list !== undefined && !Array.isArray(list)) misuse(`\`${name}\` must be a list.`);
  }
}

/**
 * The address to connect to.
 * @throws OpenClawError
 */
export function toSocketUrl(text: string): string {
  // Whoever has a socket's address may give that.
  const url = toBaseUrl(String(text).replace(/^ws(?=s?:)/i, "http"));
  return url.replace(/^http/, "ws").replace(/v1$/, "");
}

/** Who connects, unless it is told. */
export function toClientInfo(given: Partial<SocketClientInfo> | undefined): SocketClientInfo {
  const isPage = "document" in globalThis;
  return {
    id: isPage ? "webchat" : "gateway-client",
    version: "unknown",
    platform: globalThis.navigator?.platform || "unknown",
    mode: isPage ? "webchat" : "backend",
    ...given,
  };
}
