import { GatewayError, type GatewayErrorOptions } from "../errors/gateway-error.ts";

/** Why a caller was not let in. For the log and the metrics: callers get the words alone. */
export type AuthFailure =
  /** It sent no credentials. */
  | "missing"
  | "malformed"
  | "wrong"
  | "expired"
  /** It, or others of its address, failed too often. */
  | "locked_out"
  /** Without auth only this machine is served. */
  | "not_local"
  /** It is not what the trusted proxy sends, or not of a user that is let in. */
  | "not_proxied";

/** A refusal of a caller, with the reason. */
export class AuthError extends GatewayError {
  readonly reason: AuthFailure;

  constructor(reason: AuthFailure, message: string, options?: GatewayErrorOptions) {
    super(reason === "locked_out" ? "too_many_failed_attempts" : "invalid_api_key", message, options);
    this.reason = reason;
  }
}
