import { randomUUID } from "node:crypto";
import { SOCKET_CLOSE, SOCKET_LIMITS } from "@openclaw/protocol";
import { SOCKET_EVENTS, SOCKET_METHODS } from "@openclaw/protocol/socket";
import type { WebSocket } from "ws";
import { addressKey } from "../auth/address-key.ts";
import { AuthError } from "../auth/auth-error.ts";
import type { Attempt } from "../auth/authenticate.ts";
import type { Caller } from "../auth/caller.ts";
import type { Peer } from "../auth/peer.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { VERSION } from "../version.ts";
import { Connection } from "./connection.ts";
import { createDispatch, type DispatchOptions } from "./dispatch.ts";
import { type Guest, type HandshakeOptions, shakeHands } from "./handshake.ts";
import type { Hub } from "./hub.ts";
import { createPings, SHUTDOWN, startTicks } from "./keep-alive.ts";
import { toText } from "./parse-frame.ts";
import { grantScopes } from "./scopes.ts";
import { mainKeyOf } from "./session-ref.ts";

/** Sockets of one address that may be there without having said who they are. */
const MAX_STRANGERS = 32;
/** Sockets in all. */
const MAX_SOCKETS = 4096;
/** Frames that may wait for a handshake to end. */
const MAX_QUEUED = 15;

export interface SocketsOptions extends DispatchOptions, Pick<HandshakeOptions, "authenticator" | "authMode"> {
  hub: Hub;
  /** Told of each client that has said hello. */
  onConnected(connection: Connection): void;
  onGone(connection: Connection): void;
}

/** The WebSockets of a gateway. */
export interface Sockets {
  /** @throws GatewayError 503 */
  refuseIfFull(address: string): void;
  accept(socket: WebSocket, peer: Peer): void;
  /** Looks again who its clients are, after keys, tokens or users have changed. */
  recheck(): void;
  readonly open: number;
  /** Says goodbye to all. */
  close(): void;
}

export function createSockets(options: SocketsOptions): Sockets {
  const { hub, runs, current, authenticator, authMode, onConnected, onGone } = options;
  const dispatch = createDispatch(options);
  const bootId = randomUUID();
  const startedAt = performance.now();
  const all = new Set<WebSocket>();
  const strangers = new Map<string, number>();
  const guests = new Map<Connection, { socket: WebSocket; guest: Guest }>();
  const pings = createPings();
  const stopTicks = startTicks(hub, recheck);

  function count(address: string, by: 1 | -1): void {
    const key = addressKey(address);
    const left = (strangers.get(key) ?? 0) + by;
    if (left > 0) strangers.set(key, left);
    else strangers.delete(key);
  }

  function hello(connId: string) {
    const { agents } = current();
    const defaultAgentId = agents.default.id;
    return {
      server: { version: VERSION, connId, bootId },
      features: { methods: Object.keys(SOCKET_METHODS), events: Object.keys(SOCKET_EVENTS) },
      snapshot: {
        presence: [],
        health: { ok: true as const, ts: Date.now() },
        stateVersion: { presence: 0, health: 0 },
        uptimeMs: Math.round(performance.now() - startedAt),
        sessionDefaults: {
          defaultAgentId,
          mainKey: "main",
          mainSessionKey: mainKeyOf(defaultAgentId),
          scope: "per-sender" as const,
        },
        authMode: authMode(),
      },
      policy: {
        maxPayload: SOCKET_LIMITS.maxPayload,
        maxBufferedBytes: SOCKET_LIMITS.maxBufferedBytes,
        tickIntervalMs: SOCKET_LIMITS.tickIntervalMs,
      },
    };
  }

  function welcome(socket: WebSocket, guest: Guest): Connection {
    const connection = new Connection({ ...guest, wire: socket });
    raiseMaxPayload(socket);
    hub.add(connection);
    guests.set(connection, { socket, guest });
    socket.once("close", () => {
      hub.remove(connection);
      guests.delete(connection);
      onGone(connection);
      connection.leave();
    });
    connection.respond(guest.answer.id, guest.answer.payload);
    onConnected(connection);
    return connection;
  }

  /** Looks again who a client is, and ends the connection of one that would not be let in now. */
  function isStill(connection: Connection): boolean {
    const found = guests.get(connection);
    if (!found) return false;
    const { socket, guest } = found;
    const before = connection.caller;
    const caller = readCaller(guest.attempt);
    if (caller?.owner !== before.owner) {
      socket.close(SOCKET_CLOSE.credentialsGone, "credentials invalidated");
      return false;
    }
    connection.caller = caller;
    if (caller.scopes !== before.scopes || caller.agents !== before.agents) {
      connection.scopes = grantScopes([...guest.scopes], caller);
      connection.onInterest?.();
    }
    return true;
  }

  function readCaller(attempt: Attempt): Caller | undefined {
    try {
      return authenticator.recheck(attempt);
    } catch (error) {
      if (error instanceof AuthError) return undefined;
      throw error;
    }
  }

  function recheck(): void {
    for (const connection of guests.keys()) isStill(connection);
  }

  function accept(socket: WebSocket, peer: Peer): void {
    all.add(socket);
    count(peer.address, 1);
    let isStranger = true;
    const settle = () => {
      if (isStranger) count(peer.address, -1);
      isStranger = false;
    };
    socket.once("close", () => {
      all.delete(socket);
      settle();
    });
    // What is wrong with a frame, ws has told the client by closing.
    socket.on("error", () => {});
    pings.add(socket);
    const handshake = shakeHands(socket, peer, { authenticator, authMode, hello });
    const queued: string[] = [];
    let begun = false;
    let connection: Connection | undefined;

    async function begin(first: string): Promise<void> {
      const guest = await handshake.take(first);
      if (!guest) return;
      settle();
      connection = welcome(socket, guest);
      for (const frame of queued.splice(0)) dispatch(connection, frame);
    }

    socket.on("message", (data) => {
      // What comes behind our goodbye is not asked of us any more.
      if (socket.readyState !== socket.OPEN) return;
      const text = toText(data);
      if (connection) {
        // A key may have expired since.
        if (isStill(connection)) dispatch(connection, text);
      } else if (begun && queued.push(text) > MAX_QUEUED) {
        queued.length = 0;
        socket.close(SOCKET_CLOSE.policy, "too many frames before hello");
      } else if (!begun) {
        begun = true;
        begin(text).catch((error) => {
          options.onBug(error, { method: "connect" });
          socket.close(SOCKET_CLOSE.tryAgain);
        });
      }
    });
  }

  return {
    accept,
    refuseIfFull(address) {
      const isFull = all.size >= MAX_SOCKETS || (strangers.get(addressKey(address)) ?? 0) >= MAX_STRANGERS;
      if (isFull) throw new GatewayError("gateway_overloaded", "Too many sockets are open.", { retryAfter: 1 });
      if (runs.draining) throw new GatewayError("gateway_draining", "The gateway is shutting down.", { retryAfter: 5 });
    },
    recheck,
    get open() {
      return all.size;
    },
    close() {
      stopTicks();
      pings.stop();
      const payload = JSON.stringify({ reason: "gateway stopping" });
      for (const connection of hub) connection.tell("shutdown", payload);
      for (const socket of all) socket.close(SHUTDOWN.code, SHUTDOWN.reason);
    },
  };
}

/**
 * Lets a client that has said hello send larger frames. ws has no other way to change it: a test holds this to the
 * installed version.
 */
function raiseMaxPayload(socket: WebSocket): void {
  const { _receiver: receiver } = socket as unknown as { _receiver: { _maxPayload: number } };
  receiver._maxPayload = SOCKET_LIMITS.maxPayload;
}
