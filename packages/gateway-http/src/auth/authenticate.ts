import { hash, timingSafeEqual } from "node:crypto";
import type { Config } from "../config/schema.ts";
import { DEFAULT_SCOPES, KEY_PREFIX, type Scope } from "../config/schema-auth.ts";
import { createAttemptLimiter } from "./attempt-limiter.ts";
import { AuthError } from "./auth-error.ts";
import { type Caller, LOCAL, OPERATOR } from "./caller.ts";
import { type Credentials, isGuessable } from "./credentials.ts";
import type { KeyRing } from "./key-ring.ts";
import { createSlowDown } from "./slow-down.ts";

const NO_PROXY: ProxyUser = { refusal: "This request did not come through a proxy." };
const USER_SCOPES: ReadonlySet<Scope> = new Set(DEFAULT_SCOPES);

/** What callers have to know, now. */
interface AuthState {
  credentials: Credentials;
  keys: KeyRing;
}

export interface AuthenticatorOptions {
  /** Asked for each attempt: keys come and go while the gateway runs. */
  current: () => AuthState;
  rateLimit: Config["gateway"]["auth"]["rateLimit"];
  /** Milliseconds of a clock that never goes back. Default `performance.now`. */
  now?: () => number;
}

export interface Attempt {
  /** The `authorization` header. */
  authorization: string | undefined;
  /** The client's address, after trusted proxies. */
  address: string;
  /** For whoever reads of a failure. */
  requestId?: string | undefined;
  /** Whether the request came from this machine without a detour over a proxy. */
  local: boolean;
  /** Asked in mode `trusted-proxy`. Absent: no proxy can have named anybody. */
  proxyUser?: () => ProxyUser;
}

/** The user that a trusted proxy names, or why there is none: words for the operator, without what was sent. */
export type ProxyUser = { name: string } | { refusal: string };

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

/**
 * Who sends this, or why a guess is wrong.
 * @param beforeGuess called before something is compared that could be guessed; throws to refuse that
 * @throws AuthError for what is no guess
 */
function identify(attempt: Attempt, { credentials, keys }: AuthState, beforeGuess: () => void): Caller | AuthError {
  const { mode } = credentials;
  const { authorization } = attempt;
  const bearer = findBearer(authorization);
  const key = bearer === undefined ? undefined : keys.find(bearer);
  if (key === "expired") throw new AuthError("expired", "This key has expired.");
  if (key) return key;
  if (mode === "none") return toLocal(attempt, bearer);
  const user = mode === "trusted-proxy" ? (attempt.proxyUser?.() ?? NO_PROXY) : undefined;
  // What else the proxy passed on as a credential is its own affair.
  if (user && "name" in user) return toProxyUser(user);
  const given = bearer ?? refuseWithout(authorization, user);
  if (isGuessable(credentials)) beforeGuess();
  if ("digest" in credentials && matches(given, credentials.digest)) return OPERATOR;
  return new AuthError("wrong", user ? `Wrong key. ${user.refusal}` : `Wrong ${mode}.`);
}

function toLocal({ local }: Attempt, bearer: string | undefined): Caller {
  // Clients that want a key are given any word here. But who was given a key has what the key may do, or nothing.
  if (bearer?.startsWith(KEY_PREFIX)) throw new AuthError("wrong", "Wrong key.");
  if (local) return LOCAL;
  throw new AuthError(
    "not_local",
    'gateway.auth.mode "none" serves only this machine, and this request came from elsewhere or through a proxy. Set a token.',
  );
}

function findBearer(authorization: string | undefined): string | undefined {
  return /^bearer[ \t]+(.+)$/i.exec(authorization?.trim() ?? "")?.[1];
}

/** Neither a missing nor a foreign kind of credentials is a guess, so neither counts as an attempt. */
function refuseWithout(authorization: string | undefined, user: { refusal: string } | undefined): never {
  if (user) throw new AuthError("not_proxied", user.refusal);
  const isMissing = authorization === undefined || authorization.trim() === "";
  const what = isMissing ? "No" : "Malformed";
  throw new AuthError(
    isMissing ? "missing" : "malformed",
    `${what} credentials. Send them as: Authorization: Bearer <token>`,
  );
}

/** The user that a trusted proxy names. */
function toProxyUser({ name }: { name: string }): Caller {
  return { owner: `user:${name}`, scopes: USER_SCOPES, limits: {} };
}

function matches(given: string, digest: Buffer): boolean {
  if (timingSafeEqual(digestOf(given), digest)) return true;
  // Node reads header bytes as Latin-1; a client that sent a password as UTF-8 meant those bytes.
  return /[\x80-\xff]/.test(given) && timingSafeEqual(digestOf(Buffer.from(given, "latin1")), digest);
}

/** By way of text: memory of its own, which Node gives to a digest that is bytes, costs more than the hash. */
function digestOf(given: string | Buffer): Buffer {
  return Buffer.from(hash("sha256", given, "hex"), "hex");
}

function refuseFor(ms: number): void {
  if (ms <= 0) return;
  const retryAfter = Math.ceil(ms / 1000);
  throw new AuthError("locked_out", `Too many failed attempts. Try again in ${retryAfter} s.`, {
    retryAfter,
  });
}
