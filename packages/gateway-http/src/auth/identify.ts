import { hash, timingSafeEqual } from "node:crypto";
import { DEFAULT_SCOPES, KEY_PREFIX, type Scope } from "../config/schema-auth.ts";
import type { Attempt, ProxyUser } from "./attempt.ts";
import { AuthError } from "./auth-error.ts";
import { type Caller, LOCAL, OPERATOR } from "./caller.ts";
import { type Credentials, isGuessable } from "./credentials.ts";
import type { KeyRing } from "./key-ring.ts";

const NO_PROXY: ProxyUser = { refusal: "This request did not come through a proxy." };
const USER_SCOPES: ReadonlySet<Scope> = new Set(DEFAULT_SCOPES);

/** What callers have to know, now. */
export interface AuthState {
  credentials: Credentials;
  keys: KeyRing;
}

/**
 * Who sends this, or why a guess is wrong.
 * @param beforeGuess called before something is compared that could be guessed; throws to refuse that
 * @throws AuthError for what is no guess
 */
export function identify(
  attempt: Attempt,
  { credentials, keys }: AuthState,
  beforeGuess: () => void,
): Caller | AuthError {
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
