import { addressKey } from "./address-key.ts";
import { AuthError, type AuthFailure } from "./auth-error.ts";
import type { Authenticator } from "./authenticate.ts";

const WINDOW_MS = 60_000;
/** Lines within the window: of one address, of its being locked out, of all addresses. */
const MAX_OF_ADDRESS = 10;
const MAX_OF_LOCKOUT = 1;
const MAX_LINES = 100;

/** A refused login. What was sent is not in it. */
interface FailedLogin {
  reason: AuthFailure;
  address: string;
  requestId: string | undefined;
}

export interface TellFailuresOptions {
  /** Told of every refusal, requests without any credentials too. */
  count(reason: AuthFailure): void;
  /** Told of logins that failed, but of few when they are many: an attacker must not fill a disk. */
  warn(line: FailedLogin | { untold: number }): void;
  /** Milliseconds of a clock that never goes back. Default `performance.now`. */
  now?: () => number;
}

/** Tells of those who are not let in. */
export function tellFailures(authenticator: Authenticator, options: TellFailuresOptions): Authenticator {
  const { count, warn, now = () => performance.now() } = options;
  const lines = new Map<string, number>();
  let since = now();
  let told = 0;
  let untold = 0;

  function begin(): void {
    if (now() - since < WINDOW_MS) return;
    if (untold > 0) warn({ untold });
    lines.clear();
    since = now();
    told = 0;
    untold = 0;
  }

  function tell(login: FailedLogin): void {
    begin();
    const isLockout = login.reason === "locked_out";
    const key = `${isLockout ? "locked" : "failed"} ${addressKey(login.address)}`;
    const before = lines.get(key) ?? 0;
    if (told >= MAX_LINES || before >= (isLockout ? MAX_OF_LOCKOUT : MAX_OF_ADDRESS)) {
      untold++;
      return;
    }
    told++;
    lines.set(key, before + 1);
    warn(login);
  }

  return {
    // Of who was let in already: nobody tries anything.
    recheck: authenticator.recheck,
    authenticate(attempt) {
      const found = authenticator.authenticate(attempt);
      if (!(found instanceof Promise)) return found;
      return found.catch((error) => {
        if (error instanceof AuthError) {
          const { reason } = error;
          count(reason);
          // Whoever sends nothing has not tried: a probe, a browser.
          if (reason !== "missing") tell({ reason, address: attempt.address, requestId: attempt.requestId });
        }
        throw error;
      });
    },
  };
}
