import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { MAX_TIMER_MS } from "../config/duration.ts";
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

  const begun = () => Array.from(sockets, owedAnswer).filter((answer) => answer?.headersSent);

  return async (timeoutMs) => {
    if (!(timeoutMs > 0)) return;
    // Whoever waits for a run that has just ended has not written its answer yet.
    await nextTurn();
    const stop = AbortSignal.timeout(Math.min(Math.ceil(timeoutMs), MAX_TIMER_MS));
    // Again: behind the answer of a connection there may be another one.
    for (let answers = begun(); answers.length > 0 && !stop.aborted; answers = begun()) {
      await Promise.allSettled(answers.map((answer) => answer && once(answer, "close", { signal: stop })));
    }
  };
}
