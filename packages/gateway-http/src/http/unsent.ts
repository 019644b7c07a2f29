import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { owedAnswer } from "./end-with.ts";

/**
 * Looks after answers that have begun and are not all with the network yet: Node takes the connection of one that was
 * ended for idle, and a server that closes cuts those.
 *
 * @param connection the server's event that tells of what speaks HTTP
 * @returns what waits until nothing is left to send, or for this many milliseconds
 */
export function followUnsent(
  server: Server,
  connection: "connection" | "secureConnection",
): (timeoutMs: number) => Promise<void> {
  const sockets = new Set<Socket>();
  server.on(connection, (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });

  return async (timeoutMs) => {
    if (timeoutMs <= 0) return;
    // Whoever waits for a run that has just ended has not written its answer yet.
    await nextTurn();
    const answers = Array.from(sockets, owedAnswer).filter((answer) => answer?.headersSent);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([promise, Promise.allSettled(answers.map((answer) => answer && once(answer, "close")))]);
    clearTimeout(timer);
  };
}
