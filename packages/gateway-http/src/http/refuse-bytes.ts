import type { Socket } from "node:net";
import { GatewayError } from "../errors/gateway-error.ts";
import { endWith, owedAnswer } from "./end-with.ts";
import { fromNode, toRawAnswer } from "./error-reply.ts";

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
  const answer = (socket: Socket, error: GatewayError) =>
    endWith(socket, toRawAnswer(error, createRequestId(), headers()));

  return (error, socket) => {
    // There is no TLS connection yet, but the one below it can still say why.
    const below = (socket as { _parent?: Socket })._parent;
    if (error.code === "ERR_SSL_HTTP_REQUEST" && below) {
      onRefused(SPEAKS_HTTPS.status);
      return answer(below, SPEAKS_HTTPS);
    }
    // One that was refused already: Node tells of every further piece that comes.
    if (error.code === "ECONNRESET" || socket.destroyed || socket.writableEnded) return;
    const refusal = fromNode(error.code);
    // One that is being answered is a request already, and counted as such.
    if (!owedAnswer(socket)) onRefused(refusal.status);
    answer(socket, refusal);
  };
}

const SPEAKS_HTTPS = new GatewayError("malformed_request", "This port speaks HTTPS, and the request came without TLS.");
