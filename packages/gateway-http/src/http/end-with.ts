import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Milliseconds a refused connection stays open: cut at once, unread bytes would reset it before the refusal is read. */
const LINGER_MS = 1000;

/** Ends a connection with a whole HTTP answer; without it where another one has begun, of which it would be read as a part. */
export function endWith(socket: Duplex, answer: string): void {
  if (owedAnswer(socket)?.headersSent) {
    socket.destroy();
    return;
  }
  if (socket.writable) socket.end(answer);
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/** The answer to an earlier request of a connection, while it has not all been sent. Node keeps it there for itself. */
export function owedAnswer(socket: Duplex): ServerResponse | undefined {
  return (socket as { _httpMessage?: ServerResponse })._httpMessage;
}
