import { ERRORS, HEADERS, isErrorCode } from "@openclaw/protocol/wire";
import { APIError } from "./errors.ts";
import { parseRetryAfter } from "./retry.ts";
import { isSecret } from "./secrets.ts";

/** Most characters of a body that is not ours in a message. */
const MAX_EXCERPT = 200;

/** Of a request that was answered, by its response: what an error says may show them. */
const sentHeaders = new WeakMap<Response, Headers>();

/** Ends a body that nobody reads: not every `fetch` does it with its signal. */
export function dropBody({ body }: Response): void {
  body?.cancel().catch(() => {});
}

/** Before an error is made of the response, or of what it streams. */
export function keepSentHeaders(response: Response, headers: Headers): void {
  sentHeaders.set(response, headers);
}

/** The error of a response with a bad status, whatever its body is: an envelope, a page, nothing. */
export function toApiError(response: Response, text: string): APIError {
  const { status, statusText } = response;
  const mask = maskFor(response);
  let error: Envelope | undefined;
  try {
    error = fromEnvelope(JSON.parse(text), mask);
  } catch {
    // A page.
  }
  // Masked before it is cut: a piece of a secret would not be found.
  const excerpt = mask(text).replace(/\s+/g, " ").trim().slice(0, MAX_EXCERPT);
  const message = mask(`HTTP ${status} ${statusText}`).trim() + (excerpt && `: ${excerpt}`);
  return new APIError(error?.message ?? message, { ...readHeaders(response), ...error });
}

/**
 * The error of a frame in a stream that began well, or nothing when it is no error frame.
 * @param retryAfter - Seconds, as the stream itself said.
 */
export function toFrameError(frame: object, response: Response, retryAfter: number | undefined): APIError | undefined {
  const error = fromEnvelope(frame, maskFor(response));
  if (!error) return undefined;
  const status = isErrorCode(error.code) ? ERRORS[error.code].status : 500;
  // The head of a stream was written before the failure was known: its `retry-after` would be of something else.
  return new APIError(error.message, { ...readHeaders(response), ...error, retryAfter, status });
}

/** The error of an answer that is not to be read, such as the page of another server. */
export function toForeignAnswerError(response: Response, what: string): APIError {
  return new APIError(`${what}. Is \`baseUrl\` the gateway's address?`, readHeaders(response));
}

function readHeaders({ status, headers }: Response) {
  return { status, requestId: headers.get(HEADERS.requestId), retryAfter: parseRetryAfter(headers), headers };
}

type Mask = (text: string) => string;

/** A session's key and a request's are secret to a log, but not to whoever chose them. */
function maskFor(response: Response): Mask {
  const secrets = [...(sentHeaders.get(response) ?? [])].flatMap(([name, value]) =>
    value && isSecret(name) && !/^(x-openclaw|idemp)/.test(name) ? [value, value.replace(/^\S+\s+/, "")] : [],
  );
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
}

interface Envelope {
  message: string;
  code: string | null;
  type: string | null;
  param: string | null;
}

function fromEnvelope(body: unknown, mask: Mask): Envelope | undefined {
  const { error } = Object(body);
  if (error === undefined || error === null) return undefined;
  const { message, code, type, param } = typeof error === "object" ? error : { message: error };
  // A code of the table is none's secret, even if a short token is a part of it.
  const read = (value: unknown) => (isErrorCode(value) ? value : typeof value === "string" ? mask(value) : null);
  return {
    message: read(message) ?? "An error without a message.",
    code: read(code),
    type: read(type),
    param: read(param),
  };
}
