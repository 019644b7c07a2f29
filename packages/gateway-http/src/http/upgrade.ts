import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { SOCKET_LIMITS } from "@openclaw/protocol";
import type { FastifyInstance } from "fastify";
import type { WebSocket, WebSocketServer } from "ws";
import type { ProxyUser } from "../auth/authenticate.ts";
import type { Peer } from "../auth/peer.ts";
import { isLoopbackHost } from "../config/network.ts";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { toGatewayError } from "../errors/to-gateway-error.ts";
import { createRequestId, hasOneHost, securityHeaders } from "./app.ts";
import { clientAddress } from "./client-address.ts";
import { isListedOrigin } from "./cors.ts";
import { toRawAnswer } from "./error-reply.ts";
import { isAllowedHost, isAllowedOrigin } from "./host-guard.ts";
import { isLocal } from "./local.ts";
import { readRequestId } from "./request-headers.ts";

/** Milliseconds that a refused connection stays open for its refusal to be read. */
const LINGER_MS = 1000;
/** Milliseconds that a client may take to answer a close frame, before it is cut. */
const CLOSE_GRACE_MS = 1000;

/** What becomes of WebSockets. */
interface Sockets {
  /** @throws GatewayError 503 when there is no room for another one of this address */
  refuseIfFull(address: string): void;
  accept(socket: WebSocket, peer: Peer): void;
}

/** What looks after them, made when the first one comes. */
export interface SocketRoom {
  /** @throws GatewayError 503 `gateway_draining` */
  enter(): Promise<Sockets>;
}

export interface UpgradeOptions {
  http: () => Pick<Config["gateway"]["http"], "hosts" | "cors" | "securityHeaders">;
  isTrustedProxy: ((address: string | undefined) => boolean) | undefined;
  /** Where a browser is let in without a token of its own, pages of this machine's other ports are strangers too. */
  guardOrigin: boolean;
  readProxyUser(request: IncomingMessage): ProxyUser;
  socketRoom: SocketRoom;
  /** Told of those who are refused. */
  onRefused(status: number, method?: string): void;
}

/**
 * Takes WebSockets in, at any path. Who calls is asked later, in the socket's own words: clients take a 401 or 403 of an
 * upgrade for that of a proxy in between.
 */
export function addUpgrades(app: FastifyInstance, options: UpgradeOptions): void {
  const { http, isTrustedProxy, guardOrigin, readProxyUser, socketRoom, onRefused } = options;
  let server: Promise<WebSocketServer> | undefined;

  function refuse(socket: Duplex, error: GatewayError, { headers, method }: IncomingMessage): void {
    onRefused(error.status, method);
    const requestId = readRequestId(headers["x-request-id"]) ?? createRequestId();
    if (socket.writable) socket.end(toRawAnswer(error, requestId, securityHeaders(http())));
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }

  /** @throws GatewayError */
  function check(request: IncomingMessage): void {
    if (request.headers.upgrade?.toLowerCase() !== "websocket") throw malformed("Only websocket can be upgraded to.");
    if (!hasOneHost(request)) {
      throw new GatewayError("malformed_request", "A request needs exactly one Host header.", { param: "host" });
    }
    if (!isAllowedHost(request.headers.host, http().hosts)) {
      throw new GatewayError(
        "host_not_allowed",
        "This Host is not served here; gateway.http.hosts lists those that are.",
        {
          param: "host",
        },
      );
    }
  }

  function isForeignPage({ origin, host }: IncomingMessage["headers"]): boolean {
    const { hosts, cors } = http();
    if (isListedOrigin(origin, cors.origins) || isAllowedOrigin(origin, host, hosts)) return false;
    return guardOrigin || !isLoopbackOrigin(origin);
  }

  async function load(): Promise<WebSocketServer> {
    // Time and memory that whoever has no sockets does not pay for.
    const { WebSocketServer } = await import("ws");
    const settings = {
      noServer: true,
      clientTracking: false,
      maxPayload: SOCKET_LIMITS.maxPayloadBefore,
      // No subprotocol is spoken: the default would agree to the first one offered.
      handleProtocols: () => false as const,
      // Not in its types: a test holds it to this.
      closeTimeout: CLOSE_GRACE_MS,
    };
    const made = new WebSocketServer(settings);
    made.on("wsClientError", (error, socket, request) => refuse(socket, malformed(error.message), request));
    return made;
  }

  app.server.on("upgrade", async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Until somebody else looks after it: without a listener an error would end the process.
    socket.on("error", () => socket.destroy());
    const address = clientAddress(request, isTrustedProxy);
    try {
      check(request);
      server ??= load();
      const [webSockets, sockets] = await Promise.all([server, socketRoom.enter()]);
      if (socket.destroyed) return;
      // Nothing is awaited from here on: a place that is free is taken.
      sockets.refuseIfFull(address);
      webSockets.handleUpgrade(request, socket, head, (webSocket) =>
        sockets.accept(webSocket, {
          address,
          requestId: readRequestId(request.headers["x-request-id"]) ?? createRequestId(),
          local: isLocal({ headers: request.headers, socket: request.socket, ip: address }),
          proxyUser: () => readProxyUser(request),
          isForeignPage: isForeignPage(request.headers),
        }),
      );
    } catch (error) {
      refuse(socket, toGatewayError(error), request);
    }
  });
}

function isLoopbackOrigin(origin: string | undefined): boolean {
  const host = origin === undefined ? undefined : URL.parse(origin)?.hostname;
  return host !== undefined && (isLoopbackHost(host.replace(/^\[|\]$/g, "")) || host.endsWith(".localhost"));
}

function malformed(message: string): GatewayError {
  return new GatewayError("malformed_request", message, { param: "upgrade" });
}
