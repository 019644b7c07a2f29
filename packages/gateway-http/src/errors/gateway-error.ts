import { ERRORS, type ErrorBody, type ErrorCode } from "@openclaw/protocol";

export interface GatewayErrorOptions {
  /** The parameter at fault: `messages[0].content`, or a header's name. */
  param?: string | undefined;
  /** Overrides the table's status where one code has several (413, 414, 431). */
  status?: number | undefined;
  /** Overrides the table's `x-should-retry`. */
  retry?: boolean | undefined;
  /** Seconds, sent as `retry-after`. */
  retryAfter?: number | undefined;
  cause?: unknown;
}

/**
 * An error that a caller may see: its message, code and status leave the gateway as they are. Anything else that is
 * thrown leaves as `internal_error` without its message.
 */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly param: string | null;
  readonly retry: boolean | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const spec: { status: number; retry?: boolean } = ERRORS[code];
    this.code = code;
    this.status = options.status ?? spec.status;
    this.param = options.param ?? null;
    this.retry = options.retry ?? spec.retry;
    this.retryAfter = Number.isFinite(options.retryAfter) ? options.retryAfter : undefined;
  }

  /** The OpenAI error object of this error. */
  toBody(): ErrorBody {
    return { error: { message: this.message, type: ERRORS[this.code].type, param: this.param, code: this.code } };
  }
}
