import { SOCKET_CLOSE, SOCKET_LIMITS } from "@openclaw/protocol";
import type { WebSocket } from "ws";
import type { Hub } from "./hub.ts";

/**
 * Finds out which sockets nobody is at any more, and cuts them.
 * @returns what to tell of each socket
 */
export function createPings(): { add(socket: WebSocket): void; stop(): void } {
  /** What waited for its reader at the last look; `undefined` once it has answered. */
  const unanswered = new Map<WebSocket, number | undefined>();

  function look(): void {
    for (const [socket, buffered] of unanswered) {
      // Whoever takes what is sent is there, however slowly: its pong comes behind that.
      const isStuck = buffered !== undefined && socket.bufferedAmount >= buffered;
      if (isStuck) {
        socket.terminate();
        continue;
      }
      unanswered.set(socket, socket.bufferedAmount);
      socket.ping();
    }
  }

  const timer = setInterval(look, SOCKET_LIMITS.pingIntervalMs).unref();

  return {
    add(socket) {
      unanswered.set(socket, undefined);
      socket.on("pong", () => unanswered.set(socket, undefined));
      socket.once("close", () => unanswered.delete(socket));
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * Tells all clients, every now and then, that the gateway is there. Returns the function that stops it.
 * @param look called before, to look at who is there
 */
export function startTicks(hub: Hub, look: () => void): () => void {
  const timer = setInterval(() => {
    look();
    const payload = JSON.stringify({ ts: Date.now() });
    hub.fanOut.add({ event: "tick", members: [...hub], encode: () => payload, droppable: true });
  }, SOCKET_LIMITS.tickIntervalMs).unref();
  return () => clearInterval(timer);
}

export const SHUTDOWN = { code: SOCKET_CLOSE.restart, reason: "service restart" } as const;
