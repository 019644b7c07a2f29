import { expect, test } from "vitest";
import { ERRORS, type ErrorCode, isErrorCode } from "../src/index.ts";

type Row = [status: number, type: string, retry: boolean | undefined, codes: ErrorCode[]];

/** The contract's table, written out once more on purpose: a change here is a change of the API. */
const TABLE: Row[] = [
  [400, "invalid_request_error", undefined, ["invalid_json", "invalid_type", "invalid_value", "unsupported_parameter"]],
  [400, "invalid_request_error", undefined, ["missing_user_message", "malformed_request"]],
  [400, "invalid_request_error", undefined, ["invalid_header", "invalid_session_key", "invalid_resume"]],
  [401, "authentication_error", undefined, ["invalid_api_key"]],
  [
    403,
    "permission_error",
    undefined,
    ["host_not_allowed", "origin_not_allowed", "agent_not_allowed", "missing_scope"],
  ],
  [404, "invalid_request_error", undefined, ["model_not_found", "unknown_url", "endpoint_disabled", "not_found"]],
  [405, "invalid_request_error", undefined, ["method_not_allowed"]],
  [408, "invalid_request_error", undefined, ["request_timeout"]],
  [413, "invalid_request_error", undefined, ["request_too_large"]],
  [415, "invalid_request_error", undefined, ["unsupported_media_type"]],
  [417, "invalid_request_error", undefined, ["expectation_failed"]],
  [409, "invalid_request_error", true, ["session_busy"]],
  [409, "invalid_request_error", false, ["idempotency_key_conflict", "resume_lost", "run_aborted"]],
  [429, "rate_limit_error", true, ["too_many_failed_attempts", "rate_limit_exceeded", "queue_full"]],
  [504, "api_error", false, ["run_timeout"]],
  [502, "api_error", false, ["provider_auth", "provider_model_not_found"]],
  [429, "rate_limit_error", true, ["provider_rate_limited"]],
  [503, "api_error", true, ["provider_overloaded"]],
  [504, "api_error", true, ["provider_timeout"]],
  [502, "api_error", true, ["provider_unreachable", "provider_bad_response"]],
  [502, "api_error", undefined, ["provider_error"]],
  [400, "invalid_request_error", undefined, ["context_length_exceeded", "content_filter"]],
  [503, "service_unavailable", true, ["gateway_overloaded", "gateway_draining"]],
  [500, "api_error", false, ["internal_error"]],
];

test("the table has exactly the codes of the contract, with their status, type and retry advice", () => {
  const expected: Record<string, object> = {};
  for (const [status, type, retry, codes] of TABLE) {
    for (const code of codes) expected[code] = { status, type, ...(retry === undefined ? {} : { retry }) };
  }
  expect(ERRORS).toEqual(expected);
});

test("a client that follows OpenAI's rules retries only what is safe", () => {
  const retriedByStatus = (status: number) => status === 408 || status === 409 || status === 429 || status >= 500;
  const undecided = Object.entries(ERRORS)
    .filter(([, spec]) => retriedByStatus(spec.status) && !("retry" in spec))
    .map(([code]) => code);
  // 408: nothing was started. provider_error: 4xx or 5xx decides.
  expect(undecided).toEqual(["request_timeout", "provider_error"]);
});

test("isErrorCode knows the codes and nothing else", () => {
  for (const code of Object.keys(ERRORS)) expect(isErrorCode(code)).toBe(true);
  for (const other of ["", "nope", "toString", "constructor", "__proto__", "INVALID_JSON", 400, null, undefined, {}]) {
    expect(isErrorCode(other)).toBe(false);
  }
});
