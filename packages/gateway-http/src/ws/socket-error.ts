import type { SocketErrorCode } from "@openclaw/protocol";
import type { SocketErrorBody } from "@openclaw/protocol/socket";
import type { GatewayError } from "../errors/gateway-error.ts";
import { toGatewayError } from "../errors/to-gateway-error.ts";

interface SocketErrorOptions {
  details?: object | undefined;
  retryable?: boolean | undefined;
  /** Milliseconds. */
  retryAfterMs?: number | undefined;
}

/** Why a request of the socket is refused, in the words of its protocol. */
export class SocketError extends Error {
  readonly code: SocketErrorCode;
  readonly options: SocketErrorOptions;

  constructor(code: SocketErrorCode, message: string, options: SocketErrorOptions = {}) {
    super(message);
    this.code = code;
    this.options = options;
  }

  toBody(): SocketErrorBody {
    const { details, retryable, retryAfterMs } = this.options;
    return {
      code: this.code,
      message: this.message,
      ...(details !== undefined && { details }),
      ...(retryable !== undefined && { retryable }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  }
}

export function invalid(message: string, details?: object): SocketError {
  return new SocketError("INVALID_REQUEST", message, { details });
}

export function missingScope(missing: string, required: readonly string[] = [missing]): SocketError {
  return new SocketError("FORBIDDEN", `missing scope: ${missing}`, {
    details: { code: "MISSING_SCOPE", missingScope: missing, requiredScopes: [...required] },
  });
}

/** Anything thrown, as the socket says it. What was nobody's intention loses its words. */
export function toSocketError(thrown: unknown): SocketError {
  if (thrown instanceof SocketError) return thrown;
  const error = toGatewayError(thrown);
  const { message, retry, retryAfter } = error;
  return new SocketError(toCode(error), message, {
    details: { code: error.code, ...(error.param != null && { param: error.param }) },
    ...(retry !== undefined && { retryable: retry }),
    ...(retryAfter !== undefined && { retryAfterMs: retryAfter * 1000 }),
  });
}

function toCode({ status, retry }: GatewayError): SocketErrorCode {
  if (status === 401 || status === 403) return "FORBIDDEN";
  return status >= 500 || retry === true ? "UNAVAILABLE" : "INVALID_REQUEST";
}
