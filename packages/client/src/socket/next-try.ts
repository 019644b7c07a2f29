import { SOCKET_CLOSE } from "@openclaw/protocol/wire";
import { LONGEST_TIMER } from "../attempt.ts";
import { ConnectionError, SocketError, TimeoutError } from "../errors.ts";

/** In milliseconds. */
const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 30_000;
/** Whatever a gateway asks for: it is not to be run over. */
const SHORTEST_DELAY = 100;

/** Whether another token may be taken. */
export function isOfToken(error: Error, code: number | undefined): boolean {
  return code === SOCKET_CLOSE.credentialsGone || /^AUTH_/.test(Object(Object(error).details).code);
}

/** Whether another try comes to the same. */
export function isFinal(error: Error, code: number | undefined): boolean {
  if (code === SOCKET_CLOSE.credentialsGone) return true;
  // Misuse is: an address, a token, or a client that cannot be sent.
  if (!(error instanceof SocketError)) return !(error instanceof ConnectionError || error instanceof TimeoutError);
  const mayPass = error.retryable || error.retryAfterMs !== undefined || error.code === "UNAVAILABLE";
  return !mayPass && Object(error.details).code !== "AUTH_RATE_LIMITED";
}

/**
 * Milliseconds until the next try: what the gateway asks for; soon, when it says that another will be there; else 1 s
 * doubling up to 30 s. Less up to a quarter by chance, so that clients that were cut off together do not return together.
 */
export function delayAfter(error: Error, code: number | undefined, failures: number): number {
  if (error instanceof SocketError && error.retryAfterMs !== undefined) {
    return Math.min(Math.max(error.retryAfterMs, SHORTEST_DELAY), LONGEST_TIMER);
  }
  const isSoon = code === SOCKET_CLOSE.restart || code === SOCKET_CLOSE.tryAgain;
  return Math.min(FIRST_DELAY * 2 ** (isSoon ? 0 : failures), LONGEST_DELAY) * (1 - Math.random() / 4);
}
