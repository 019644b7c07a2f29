import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { SOCKET_LIMITS } from "@openclaw/protocol";
import type { FastifyInstance } from "fastify";
import type { WebSocket, WebSocketServer } from "ws";
import type { ProxyUser } from "../auth/attempt.ts";
import type { Peer } from "../auth/peer.ts";
import { isLoopbackHost } from "../config/network.ts";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { toGatewayError } from "../errors/to-gateway-error.ts";
import { clientAddress } from "./client-address.ts";
import { endWith, owedAnswer } from "./end-with.ts";
import { toRawAnswer } from "./error-reply.ts";
import { isAllowedHost, isForeignOrigin, requireHost } from "./host-guard.ts";
import { isLocal } from "./local.ts";
import { toRequestId } from "./request-headers.ts";
import { securityHeaders } from "./security-headers.ts";

/** That of RFC 6455. */
const VERSION = "13";
/** What 426 says can be had. Its connection ends all the same. */
const OFFER = { connection: "close, upgrade", upgrade: "websocket", "sec-websocket-version": VERSION };
/** Of a Host that is not served: not 403, which clients take for that of a proxy that wants a login. */
const MISDIRECTED = 421;
/** Pieces of a client's frame before its hello. */
const MAX_FRAGMENTS_BEFORE = 16;
/** Milliseconds that a client may take to answer a close frame, before it is cut. */
const CLOSE_GRACE_MS = 1000;

/** What becomes of WebSockets. */
interface Sockets {
  /** @throws GatewayError 503 when there is no room for another one of this address */
  refuseIfFull(peer: Peer): void;
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
    const more = { ...securityHeaders(http()), ...(error.status === 426 && OFFER) };
    endWith(socket, toRawAnswer(error, toRequestId(headers), more));
  }

  /** @throws GatewayError */
  function check(request: IncomingMessage, socket: Duplex): void {
    // Both would write, and a peer that reads frames would read the answer's text as some.
    if (owedAnswer(socket)) throw malformed("An earlier request of this connection is not answered yet.");
    requireHost(request, http().hosts, MISDIRECTED);
    if (request.headers["sec-websocket-version"] === VERSION) return;
    const message = `Only version ${VERSION} of WebSockets is spoken here.`;
    throw new GatewayError("malformed_request", message, { param: "sec-websocket-version", status: 426 });
  }

  function isForeignPage(headers: IncomingMessage["headers"]): boolean {
    // Asked again when the config has changed: the name it was called by may have been taken away.
    if (!isAllowedHost(headers.host, http().hosts)) return true;
    return isForeignOrigin(headers, http()) && (guardOrigin || !isLoopbackOrigin(headers.origin));
  }

  async function load(): Promise<WebSocketServer> {
    // Time and memory that whoever has no sockets does not pay for.
    const { WebSocketServer } = await import("ws");
    const settings = {
      noServer: true,
      clientTracking: false,
      maxPayload: SOCKET_LIMITS.maxPayloadBefore,
      // What is gathered of a frame costs more than its bytes. Both are lifted after hello.
      maxFragments: MAX_FRAGMENTS_BEFORE,
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
    try {
      check(request, socket);
      const address = clientAddress(request, isTrustedProxy);
      server ??= load();
      const [webSockets, sockets] = await Promise.all([server, socketRoom.enter()]);
      if (socket.destroyed) return;
      // Nothing is awaited from here on: a place that is free is taken.
      const peer: Peer = {
        address,
        requestId: toRequestId(request.headers),
        local: isLocal({ headers: request.headers, socket: request.socket, ip: address }),
        proxyUser: () => readProxyUser(request),
        isForeignPage: () => isForeignPage(request.headers),
      };
      sockets.refuseIfFull(peer);
      webSockets.handleUpgrade(request, socket, head, (webSocket) => sockets.accept(webSocket, peer));
    } catch (error) {
      refuse(socket, toGatewayError(error), request);
    }
  });
}

/** Others are served as if they had not asked: some clients offer h2c with every request. */
export function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

function isLoopbackOrigin(origin: string | undefined): boolean {
  const host = origin === undefined ? undefined : URL.parse(origin)?.hostname;
  return host !== undefined && (isLoopbackHost(host.replace(/^\[|\]$/g, "")) || host.endsWith(".localhost"));
}

function malformed(message: string): GatewayError {
  return new GatewayError("malformed_request", message, { param: "upgrade" });
}
