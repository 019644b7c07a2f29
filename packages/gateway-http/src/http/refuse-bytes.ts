import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { GatewayError } from "../errors/gateway-error.ts";
import { fromNode, toRawAnswer } from "./error-reply.ts";

/** Milliseconds a refused connection stays open: cut at once, unread bytes would reset it before the refusal is read. */
const LINGER_MS = 1000;

export interface ByteRefuserOptions {
  createRequestId(): string;
  /** What every answer has. */
  headers(): Record<string, string>;
  /** Told of everyone who is refused here and is no request yet. */
  onRefused(status: number): void;
}

/** Answers what is no HTTP request, for `clientErrorHandler`: Node's own 400 has no body. */
export function createByteRefuser({
  createRequestId,
  headers,
  onRefused,
}: ByteRefuserOptions): (error: NodeJS.ErrnoException, socket: Socket) => void {
  function answer(socket: Socket, error: GatewayError): void {
    if (socket.writable) socket.end(toRawAnswer(error, createRequestId(), headers()));
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }

  return (error, socket) => {
    // There is no TLS connection yet, but the one below it can still say why.
    const below = (socket as { _parent?: Socket })._parent;
    if (error.code === "ERR_SSL_HTTP_REQUEST" && below) {
      onRefused(SPEAKS_HTTPS.status);
      return answer(below, SPEAKS_HTTPS);
    }
    if (error.code === "ECONNRESET" || socket.destroyed) return;
    // Bytes into an answer that has begun would be read as part of it.
    const answering = (socket as { _httpMessage?: ServerResponse })._httpMessage;
    if (answering?.headersSent) {
      socket.destroy();
      return;
    }
    const refusal = fromNode(error.code);
    // One that is being answered is a request already, and counted as such.
    if (!answering) onRefused(refusal.status);
    answer(socket, refusal);
  };
}

const SPEAKS_HTTPS = new GatewayError("malformed_request", "This port speaks HTTPS, and the request came without TLS.");
