import type { SocketErrorBody } from "@openclaw/protocol/socket";
import type { ErrorCode, ErrorType, SocketErrorCode } from "@openclaw/protocol/wire";
import type { ChatCompletion, FinishReason, Usage } from "./types.ts";

/** An answer as far as it came. `finish_reason` is `null` until the answer has one. */
export interface PartialCompletion {
  id: string;
  object: "chat.completion";
  created: number;
  model: string;
  choices: {
    index: number;
    message: ChatCompletion["choices"][number]["message"];
    logprobs: null;
    finish_reason: FinishReason | null;
  }[];
  usage?: Usage;
}

/** Shared by every copy of this package in a process, where `instanceof` knows its own only. */
const MARKER = Symbol.for("@openclaw/client/error");

/** What every error of this package is. Misuse is thrown as this class itself, failures as one of the others. */
export class OpenClawError extends Error {
  override readonly name: string = "OpenClawError";
  /** What had come of a streamed answer before it failed. Absent when nothing had. */
  readonly partial?: PartialCompletion;

  static {
    Object.defineProperty(OpenClawError.prototype, MARKER, { value: true });
  }
}

/** What an `APIError` knows besides its message. */
export interface ApiErrorDetails {
  status: number;
  code?: string | null;
  type?: string | null;
  param?: string | null;
  requestId?: string | null;
  retryAfter?: number | undefined;
  headers?: Headers;
}

const NO_DETAILS = { code: null, type: null, param: null, requestId: null, retryAfter: undefined, headers: undefined };

/** A known value, or one of a newer gateway or of a proxy. The odd half keeps editors completing the known ones. */
type Known<T extends string> = T | (string & {}) | null;

/**
 * The gateway, or a proxy before it, answered with an error; or a stream did, in its midst.
 *
 * @example
 * ```ts
 * if (isOpenClawError(error, "APIError") && error.code === "rate_limit_exceeded") await sleep(error.retryAfter);
 * ```
 */
export class APIError extends OpenClawError {
  override readonly name = "APIError" as const;
  /** HTTP status. For an error in the midst of a stream, the status of its code, else 500. */
  declare readonly status: number;
  /** What went wrong, for programs. `null` when the answer was none of the gateway's. */
  declare readonly code: Known<ErrorCode>;
  declare readonly type: Known<ErrorType>;
  /** The parameter at fault, for example `messages[0].content`. */
  declare readonly param: string | null;
  /** Names this request in the gateway's log at level debug. */
  declare readonly requestId: string | null;
  /** Seconds to wait before the next try, when the answer said so. */
  declare readonly retryAfter: number | undefined;
  /** The headers of the response. */
  declare readonly headers: Headers | undefined;

  constructor(message: string, details: ApiErrorDetails) {
    super(message);
    Object.assign(this, NO_DETAILS, details);
  }
}

/** There was no answer: the gateway cannot be reached, or the connection broke. `cause` is what `fetch` threw. */
export class ConnectionError extends OpenClawError {
  override readonly name = "ConnectionError" as const;
}

/** No response headers of a stream, or no whole answer of another kind, came within `timeout`; as a cause: a stream said nothing for `idleTimeout`. */
export class TimeoutError extends OpenClawError {
  override readonly name = "TimeoutError" as const;
}

/** The request was aborted, by its signal, by `abort()` or by leaving the loop. `cause` is the signal's reason. */
export class AbortError extends OpenClawError {
  override readonly name = "AbortError" as const;
}

/**
 * A stream ended, or became unreadable, before it said that it was whole. `partial` is what had come. When coming back
 * for the rest was tried and failed, `cause` says why: a `ConnectionError`, or 409 `resume_lost`.
 */
export class StreamTruncatedError extends OpenClawError {
  override readonly name = "StreamTruncatedError" as const;
}

/** The answer is not what was asked for. Of `@openclaw/client/output`. */
export class OutputError extends OpenClawError {
  override readonly name = "OutputError" as const;
  /** The model refused; was cut off, or called tools; did not answer in JSON; or in other JSON than the schema takes. */
  readonly reason: "refusal" | "incomplete" | "not-json" | "invalid";
  /** What came instead. */
  readonly completion: ChatCompletion;

  /** @internal */
  constructor(reason: OutputError["reason"], message: string, completion: ChatCompletion) {
    super(message);
    this.reason = reason;
    this.completion = completion;
  }
}

/** The gateway refused a request over the socket, the one to connect included. Of `@openclaw/client/socket`. */
export class SocketError extends OpenClawError {
  override readonly name = "SocketError" as const;
  /** What went wrong, for programs. `details` may say more. */
  readonly code: Exclude<Known<SocketErrorCode>, null>;
  /** What else the gateway says of it, as `{ code: "AUTH_TOKEN_MISMATCH" }`. */
  readonly details: unknown;
  /** Whether the same may be asked again. */
  readonly retryable: boolean;
  /** Milliseconds to wait before, when the gateway said so. */
  readonly retryAfterMs: number | undefined;

  /** @internal */
  constructor({ code, message, details, retryable, retryAfterMs }: SocketErrorBody) {
    super(message);
    this.code = code;
    this.details = details;
    this.retryable = !!retryable;
    // Something waits by it.
    this.retryAfterMs = Number.isFinite(retryAfterMs) ? retryAfterMs : undefined;
  }
}

/** A run failed: the message is what the gateway says of it. Of `@openclaw/client/socket`. */
export class RunError extends OpenClawError {
  override readonly name = "RunError" as const;
  /** Why, for programs. */
  readonly kind: Exclude<Known<"refusal" | "timeout" | "rate_limit" | "context_length" | "unknown">, null>;

  /** @internal */
  constructor(message: string, kind: string) {
    super(message);
    this.kind = kind;
  }
}

interface ErrorsByName {
  OpenClawError: OpenClawError;
  APIError: APIError;
  ConnectionError: ConnectionError;
  TimeoutError: TimeoutError;
  AbortError: AbortError;
  StreamTruncatedError: StreamTruncatedError;
  OutputError: OutputError;
  SocketError: SocketError;
  RunError: RunError;
}

/**
 * Whether this package threw it, and as what. Unlike `instanceof` it also knows the errors of another copy of this
 * package in the same process.
 *
 * @param name - The class asked for. Without it, or with `"OpenClawError"`, any will do.
 */
export function isOpenClawError<Name extends keyof ErrorsByName = "OpenClawError">(
  error: unknown,
  name?: Name,
): error is ErrorsByName[Name] {
  if (!(error instanceof Error && MARKER in error)) return false;
  return name === undefined || name === "OpenClawError" || error.name === name;
}

/** The error of a request that `signal` has ended, whatever its reason was. */
export function toAbortError(signal: AbortSignal): AbortError {
  return new AbortError("The request was aborted.", { cause: signal.reason });
}
