import type { Config } from "../config/schema.ts";
import type { Attempt } from "./attempt.ts";
import { createAttemptLimiter } from "./attempt-limiter.ts";
import { AuthError } from "./auth-error.ts";
import type { Caller } from "./caller.ts";
import { type AuthState, identify } from "./identify.ts";
import { createSlowDown } from "./slow-down.ts";

export interface AuthenticatorOptions {
  /** Asked for each attempt: keys come and go while the gateway runs. */
  current: () => AuthState;
  rateLimit: Config["gateway"]["auth"]["rateLimit"];
  /** Milliseconds of a clock that never goes back. Default `performance.now`. */
  now?: () => number;
}

export interface Authenticator {
  /**
   * @throws GatewayError `invalid_api_key` (401), also for missing credentials, or `too_many_failed_attempts` (429). The
   * message never repeats what was sent. It comes as a rejection, and a wrong guess may wait for it; who is let in is
   * known at once.
   */
  authenticate(attempt: Attempt): Caller | Promise<never>;
  /**
   * Who sends this now, of an attempt that was let in before: what callers have to know may have changed since. Counts
   * nothing.
   * @throws GatewayError `invalid_api_key`
   */
  recheck(attempt: Attempt): Caller;
}

/**
 * Tells who is calling by the gateway's token or password, or by a key.
 *
 * A token is looked at even during a lockout: it is too long to be guessed, and so an attacker cannot shut out clients
 * that know it. A password may be short, and a token that somebody chose too, so during a lockout it is not compared.
 */
export function createAuthenticator({
  current,
  rateLimit,
  now = () => performance.now(),
}: AuthenticatorOptions): Authenticator {
  const limiter = createAttemptLimiter({ ...rateLimit, now });
  const slowDown = createSlowDown(rateLimit.windowMs, now);

  return {
    authenticate(attempt) {
      const { address, local } = attempt;
      const isSlowed = local && rateLimit.exemptLoopback;
      const refuseIfLimited = () => refuseFor(isSlowed ? slowDown.fullFor() : limiter.lockedFor(address));
      const refuse = async (error: AuthError) => {
        refuseIfLimited();
        if (isSlowed) await slowDown.penalize();
        else limiter.recordFailure(address);
        throw error;
      };
      try {
        const found = identify(attempt, current(), refuseIfLimited);
        return found instanceof AuthError ? refuse(found) : found;
      } catch (error) {
        return Promise.reject(error);
      }
    },
    recheck(attempt) {
      const found = identify(attempt, current(), () => {});
      if (found instanceof AuthError) throw found;
      return found;
    },
  };
}

function refuseFor(ms: number): void {
  if (ms <= 0) return;
  const retryAfter = Math.ceil(ms / 1000);
  throw new AuthError("locked_out", `Too many failed attempts. Try again in ${retryAfter} s.`, {
    retryAfter,
  });
}
