import { ERRORS, HEADERS, isErrorCode } from "@openclaw/protocol/wire";
import { APIError, ConnectionError, TimeoutError } from "./errors.ts";

/** All in milliseconds. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 8_000;
const LONGEST_ASKED_DELAY = 60_000;

/**
 * Whether another try may help. What the answer says of itself (`x-should-retry`) wins over what its code means, and
 * that over its status: a proxy may have taken the header away.
 *
 * @param isSafe - Whether it may be done twice. If not, only what says that it was not done is tried again.
 */
export function isRetryable(error: unknown, isSafe = true): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return isSafe;
  if (!(error instanceof APIError)) return false;
  const { status, code, headers } = error;
  const asked = headers?.get(HEADERS.shouldRetry);
  if (asked === "true" || asked === "false") return asked === "true";
  const spec = isErrorCode(code) ? ERRORS[code] : undefined;
  if (spec && "retry" in spec) return spec.retry;
  return isSafe && ([408, 409, 429].includes(status) || status >= 500);
}

/**
 * Milliseconds to wait before retry number `retry`, counted from 0: what the answer asked for, at most 60 s; else 0.5 s
 * doubling up to 8 s, less up to a quarter by chance so that clients that failed together do not return together.
 */
export function retryDelay(error: unknown, retry: number, random: () => number = Math.random): number {
  const asked = error instanceof APIError ? error.retryAfter : undefined;
  if (asked !== undefined) return Math.min(asked * 1000, LONGEST_ASKED_DELAY);
  return Math.min(FIRST_DELAY * 2 ** retry, LONGEST_DELAY) * (1 - random() / 4);
}

/**
 * The seconds that `retry-after-ms` or `retry-after` ask for, never negative, or nothing when they make no sense.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(headers: Headers, now: number = Date.now()): number | undefined {
  const milliseconds = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  if (milliseconds >= 0) return milliseconds / 1000;
  const value = headers.get(HEADERS.retryAfter)?.trim();
  if (!value) return undefined;
  const seconds = Number(value);
  if (seconds >= 0) return seconds;
  // What is neither is no wait; `Date.parse` would take a negative number for a year.
  const date = seconds < 0 ? Number.NaN : Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}
