import { ERRORS, HEADERS, isErrorCode } from "@openclaw/protocol/wire";
import { APIError } from "./errors.ts";
import { parseRetryAfter } from "./retry.ts";

/** Most characters of a body that is not ours in a message. */
const MAX_EXCERPT = 200;

/** The error of a response with a bad status, whatever its body is: an envelope, a page, nothing. */
export function toApiError(response: Response, text: string, secret: string | undefined): APIError {
  const { status, headers } = response;
  const error = readEnvelope(text);
  const message = error?.message ?? describeBody(response, text);
  // A proxy's page may show the request's headers.
  return new APIError(secret ? message.replaceAll(secret, "[token]") : message, {
    ...error,
    ...readHeaders(headers),
    status,
  });
}

/**
 * The error of a frame in a stream that began well, or nothing when it is no error frame.
 * @param retryAfter - Seconds, as the stream itself said.
 */
export function toFrameError(frame: object, headers: Headers, retryAfter: number | undefined): APIError | undefined {
  const error = fromEnvelope(frame);
  if (!error) return undefined;
  const status = isErrorCode(error.code) ? ERRORS[error.code].status : 500;
  // The head of a stream was written before the failure was known: its `retry-after` would be of something else.
  return new APIError(error.message, { ...error, ...readHeaders(headers), retryAfter, status });
}

/** The error of a good status with an answer that is none, such as the page of another server. */
export function toForeignAnswerError(response: Response, expected: string): APIError {
  const found = response.headers.get("content-type") ?? "no content type";
  return new APIError(`Expected ${expected}, got ${found}. Is \`baseUrl\` the gateway's address?`, {
    ...readHeaders(response.headers),
    status: response.status,
  });
}

function readHeaders(headers: Headers) {
  return { requestId: headers.get(HEADERS.requestId), retryAfter: parseRetryAfter(headers), headers };
}

function readEnvelope(text: string): Envelope | undefined {
  try {
    return fromEnvelope(JSON.parse(text));
  } catch {
    return undefined;
  }
}

interface Envelope {
  message: string;
  code: string | null;
  type: string | null;
  param: string | null;
}

function fromEnvelope(body: unknown): Envelope | undefined {
  const error = asObject(body)?.error;
  if (typeof error === "string") return { message: error, code: null, type: null, param: null };
  const { message, code, type, param } = asObject(error) ?? {};
  if (error === undefined || error === null) return undefined;
  return {
    message: asString(message) ?? "The gateway reported an error without a message.",
    code: asString(code),
    type: asString(type),
    param: asString(param),
  };
}

function describeBody({ status, statusText }: Response, text: string): string {
  const excerpt = text.replace(/\s+/g, " ").trim().slice(0, MAX_EXCERPT);
  return `HTTP ${status} ${statusText}`.trim() + (excerpt && `: ${excerpt}`);
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
}

function asString(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
