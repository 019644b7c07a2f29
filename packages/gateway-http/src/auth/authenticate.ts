import { hash, timingSafeEqual } from "node:crypto";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { createAttemptLimiter } from "./attempt-limiter.ts";
import { type Caller, LOCAL, OPERATOR } from "./caller.ts";
import type { Credentials } from "./credentials.ts";
import { createSlowDown } from "./slow-down.ts";

export interface AuthenticatorOptions {
  credentials: Credentials;
  rateLimit: Config["gateway"]["auth"]["rateLimit"];
  /** Milliseconds of a clock that never goes back. Default `performance.now`. */
  now?: () => number;
}

interface Attempt {
  /** The `authorization` header. */
  authorization: string | undefined;
  /** The client's address, after trusted proxies. */
  address: string;
  /** Whether the request came from this machine without a detour over a proxy. */
  local: boolean;
}

export interface Authenticator {
  /**
   * @throws GatewayError `invalid_api_key` (401), also for missing credentials, or `too_many_failed_attempts` (429). The
   * message never repeats what was sent.
   */
  authenticate(attempt: Attempt): Promise<Caller>;
}

/**
 * Tells who is calling by the gateway's token or password.
 *
 * A token is looked at even during a lockout: it is too long to be guessed, and so an attacker cannot shut out clients
 * that know it. A password may be short, so during a lockout it is not even compared.
 */
export function createAuthenticator({
  credentials,
  rateLimit,
  now = () => performance.now(),
}: AuthenticatorOptions): Authenticator {
  if (credentials.mode === "none") return { authenticate: authenticateLocal };
  const { mode, digest } = credentials;
  const limiter = createAttemptLimiter({ ...rateLimit, now });
  const slowDown = createSlowDown(rateLimit.windowMs, now);

  return {
    async authenticate({ authorization, address, local }) {
      const given = readBearer(authorization);
      const isSlowed = local && rateLimit.exemptLoopback;
      const refuseIfLimited = () => refuseFor(isSlowed ? slowDown.fullFor() : limiter.lockedFor(address));
      if (mode === "password") refuseIfLimited();
      if (matches(given, digest)) return OPERATOR;
      if (mode === "token") refuseIfLimited();
      if (isSlowed) await slowDown.penalize();
      else limiter.recordFailure(address);
      throw new GatewayError("invalid_api_key", `Wrong ${mode}.`);
    },
  };
}

async function authenticateLocal({ local }: Attempt): Promise<Caller> {
  if (local) return LOCAL;
  throw new GatewayError(
    "invalid_api_key",
    'gateway.auth.mode "none" serves only this machine, and this request came from elsewhere or through a proxy. Set a token.',
  );
}

/** Neither a missing nor a foreign kind of credentials is a guess, so neither counts as an attempt. */
function readBearer(authorization: string | undefined): string {
  if (authorization === undefined || authorization.trim() === "") {
    throw new GatewayError("invalid_api_key", "No credentials. Send them as: Authorization: Bearer <token>");
  }
  const credential = /^bearer[ \t]+(.+)$/i.exec(authorization.trim())?.[1];
  if (credential !== undefined) return credential;
  throw new GatewayError("invalid_api_key", "Malformed credentials. Send them as: Authorization: Bearer <token>");
}

function matches(given: string, digest: Buffer): boolean {
  if (timingSafeEqual(hash("sha256", given, "buffer"), digest)) return true;
  // Node reads header bytes as Latin-1; a client that sent a password as UTF-8 meant those bytes.
  return /[\x80-\xff]/.test(given) && timingSafeEqual(hash("sha256", Buffer.from(given, "latin1"), "buffer"), digest);
}

function refuseFor(ms: number): void {
  if (ms <= 0) return;
  const retryAfter = Math.ceil(ms / 1000);
  throw new GatewayError("too_many_failed_attempts", `Too many failed attempts. Try again in ${retryAfter} s.`, {
    retryAfter,
  });
}
