import { SOCKET_CLOSE, SOCKET_LIMITS } from "@openclaw/protocol";
import type { WebSocket } from "ws";
import type { Peer } from "../auth/peer.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { drainingError } from "../runs/runs.ts";
import { Connection } from "./connection.ts";
import { createDispatch, type DispatchOptions } from "./dispatch.ts";
import { createGuests, MAX_SOCKETS } from "./guests.ts";
import { type Guest, type HandshakeOptions, shakeHands } from "./handshake.ts";
import { createHello } from "./hello.ts";
import type { Hub } from "./hub.ts";
import { createPings, SHUTDOWN, startTicks } from "./keep-alive.ts";
import { toText } from "./parse-frame.ts";
import { createStrangers } from "./strangers.ts";

/** Frames that may wait for a handshake to end. */
const MAX_QUEUED = 15;
/** Pieces of one frame, after hello: what ws has by itself. */
const MAX_FRAGMENTS = 16_384;

export interface SocketsOptions extends DispatchOptions, Pick<HandshakeOptions, "authenticator" | "authMode"> {
  hub: Hub;
  /** Told of each client that has said hello. */
  onConnected(connection: Connection): void;
  onGone(connection: Connection): void;
}

/** The WebSockets of a gateway. */
export interface Sockets {
  /** @throws GatewayError 503 */
  refuseIfFull(peer: Pick<Peer, "address" | "isForeignPage">): void;
  accept(socket: WebSocket, peer: Peer): void;
  /** Looks again who its clients are, after keys, tokens or users have changed. */
  recheck(): void;
  readonly open: number;
  /** Says goodbye to all. */
  close(): void;
}

export function createSockets(options: SocketsOptions): Sockets {
  const { hub, runs, authenticator, authMode, onConnected, onGone } = options;
  const dispatch = createDispatch(options);
  const all = new Set<WebSocket>();
  const strangers = createStrangers();
  const guests = createGuests(options);
  const { requireRoom, recheck } = guests;
  const hello = createHello(options);
  const pings = createPings();
  const stopTicks = startTicks(hub, recheck);

  function welcome(socket: WebSocket, peer: Peer, guest: Guest): Connection {
    const connection = new Connection({ ...guest, wire: socket });
    liftLimits(socket);
    hub.add(connection);
    guests.add(connection, { socket, peer, guest });
    socket.once("close", () => {
      hub.remove(connection);
      guests.remove(connection);
      onGone(connection);
      connection.leave();
    });
    connection.respond(guest.answer.id, guest.answer.payload);
    onConnected(connection);
    return connection;
  }

  function accept(socket: WebSocket, peer: Peer): void {
    all.add(socket);
    const forget = strangers.add(peer);
    let isStranger = true;
    const settle = () => {
      if (isStranger) forget();
      isStranger = false;
    };
    socket.once("close", () => {
      all.delete(socket);
      settle();
    });
    // What is wrong with a frame, ws has told the client by closing.
    socket.on("error", () => {});
    pings.add(socket);
    const handshake = shakeHands(socket, peer, { authenticator, authMode, requireRoom, hello });
    const queued: string[] = [];
    let begun = false;
    let connection: Connection | undefined;

    async function begin(first: string): Promise<void> {
      const guest = await handshake.take(first);
      if (!guest) return;
      settle();
      connection = welcome(socket, peer, guest);
      for (const frame of queued.splice(0)) dispatch(connection, frame);
    }

    socket.on("message", (data) => {
      // What comes behind our goodbye is not asked of us any more.
      if (socket.readyState !== socket.OPEN) return;
      const text = toText(data);
      if (connection) {
        // A key may have expired since.
        if (guests.isStill(connection)) dispatch(connection, text);
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
    refuseIfFull(peer) {
      const isFull = all.size >= MAX_SOCKETS || !strangers.hasRoomFor(peer);
      if (isFull) throw new GatewayError("gateway_overloaded", "Too many sockets are open.", { retryAfter: 1 });
      if (runs.draining) throw drainingError();
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
 * Lets a client that has said hello send larger frames, and in more pieces. ws has no other way to change it: a test
 * holds this to the installed version.
 */
function liftLimits(socket: WebSocket): void {
  const { _receiver: receiver } = socket as unknown as { _receiver: { _maxPayload: number; _maxFragments: number } };
  receiver._maxPayload = SOCKET_LIMITS.maxPayload;
  receiver._maxFragments = MAX_FRAGMENTS;
}
