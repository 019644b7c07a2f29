/** The `type` member of an OpenAI error object. */
export type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "rate_limit_error"
  | "api_error"
  | "service_unavailable";

/** What every error of one code has in common. */
export interface ErrorSpec {
  /** HTTP status. */
  readonly status: number;
  readonly type: ErrorType;
  /**
   * Sent as `x-should-retry`, which OpenAI's SDKs obey. Absent where their own rule for the status (408, 409, 429
   * and 5xx are retried) is right, or where it depends on the case.
   */
  readonly retry?: boolean;
}

const request = { status: 400, type: "invalid_request_error" } as const;
const missing = { status: 404, type: "invalid_request_error" } as const;
const forbidden = { status: 403, type: "permission_error" } as const;
const conflict = { status: 409, type: "invalid_request_error" } as const;
const limited = { status: 429, type: "rate_limit_error", retry: true } as const;
const upstream = { status: 502, type: "api_error" } as const;

/**
 * Every error code of the HTTP API, with its status and type: the one table that server, client and docs share.
 * Codes are API: a new one is a minor change, a removed or renamed one a major change.
 */
export const ERRORS = {
  // What was said
  invalid_json: request,
  invalid_type: request,
  invalid_value: request,
  unsupported_parameter: request,
  missing_user_message: request,
  invalid_header: request,
  invalid_session_key: request,
  invalid_resume: request,
  malformed_request: request,
  // Who is calling
  invalid_api_key: { status: 401, type: "authentication_error" },
  host_not_allowed: forbidden,
  origin_not_allowed: forbidden,
  agent_not_allowed: forbidden,
  missing_scope: forbidden,
  // What is not there
  model_not_found: missing,
  unknown_url: missing,
  endpoint_disabled: missing,
  not_found: missing,
  // How it was sent
  method_not_allowed: { status: 405, type: "invalid_request_error" },
  request_timeout: { status: 408, type: "invalid_request_error" },
  /** 413 for a body, 414 for a URL, 431 for headers. */
  request_too_large: { status: 413, type: "invalid_request_error" },
  unsupported_media_type: { status: 415, type: "invalid_request_error" },
  expectation_failed: { status: 417, type: "invalid_request_error" },
  // Sessions and runs
  session_busy: { ...conflict, retry: true },
  idempotency_key_conflict: { ...conflict, retry: false },
  resume_lost: { ...conflict, retry: false },
  run_aborted: { ...conflict, retry: false },
  run_timeout: { status: 504, type: "api_error", retry: false },
  // Limits
  too_many_failed_attempts: limited,
  rate_limit_exceeded: limited,
  queue_full: limited,
  // The model's provider
  provider_auth: { ...upstream, retry: false },
  provider_model_not_found: { ...upstream, retry: false },
  provider_rate_limited: limited,
  provider_overloaded: { status: 503, type: "api_error", retry: true },
  provider_timeout: { status: 504, type: "api_error", retry: true },
  provider_unreachable: { ...upstream, retry: true },
  provider_bad_response: { ...upstream, retry: true },
  /** Retry is `true` when the provider answered 5xx, `false` when it answered 4xx. */
  provider_error: upstream,
  context_length_exceeded: request,
  content_filter: request,
  // The gateway itself
  /** All runs are taken, and the queue for one is full or took too long. */
  gateway_overloaded: { status: 503, type: "service_unavailable", retry: true },
  gateway_draining: { status: 503, type: "service_unavailable", retry: true },
  internal_error: { status: 500, type: "api_error", retry: false },
} as const satisfies Record<string, ErrorSpec>;

/** The `code` member of an error object. */
export type ErrorCode = keyof typeof ERRORS;

/** The one error envelope, as a response body or as a frame of a stream. All four members are always there. */
export interface ErrorBody {
  error: {
    message: string;
    type: ErrorType;
    /** The parameter at fault, for example `messages[0].content` or `x-openclaw-session-key`. */
    param: string | null;
    code: ErrorCode;
  };
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERRORS, code);
}
