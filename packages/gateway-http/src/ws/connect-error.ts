import { CONNECT_ERRORS, SOCKET_CLOSE, SOCKET_PROTOCOL } from "@openclaw/protocol";
import type { ConnectParams } from "@openclaw/protocol/socket";
import { AuthError } from "../auth/auth-error.ts";
import type { Credentials } from "../auth/credentials.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { toGatewayError } from "../errors/to-gateway-error.ts";
import type { ProofFault } from "./device-proof.ts";
import { invalid, SocketError, toSocketError } from "./socket-error.ts";

/** Oldest version that a probe may speak. */
const MIN_PROBE_PROTOCOL = 3;

/** A handshake that failed: the answer to `connect`, and how the connection ends then. */
export class ConnectError extends Error {
  readonly error: SocketError;
  readonly closeCode: number;
  readonly closeReason: string;

  constructor(error: SocketError, closeCode: number = SOCKET_CLOSE.policy, closeReason = error.message) {
    super(error.message);
    this.error = error;
    this.closeCode = closeCode;
    this.closeReason = closeReason;
  }
}

export function refuseConnect(message: string, details?: object): ConnectError {
  return new ConnectError(invalid(message, details));
}

/** @throws ConnectError when the client does not speak the version of this gateway */
export function checkProtocol({ minProtocol, maxProtocol, client }: ConnectParams): void {
  const lowest = client.mode === "probe" ? MIN_PROBE_PROTOCOL : SOCKET_PROTOCOL;
  if (maxProtocol >= lowest && minProtocol <= SOCKET_PROTOCOL) return;
  const details = {
    code: CONNECT_ERRORS.protocolMismatch,
    clientMinProtocol: minProtocol,
    clientMaxProtocol: maxProtocol,
    expectedProtocol: SOCKET_PROTOCOL,
    minimumProbeProtocol: MIN_PROBE_PROTOCOL,
  };
  throw new ConnectError(invalid("protocol mismatch", details), SOCKET_CLOSE.protocolMismatch);
}

export function foreignPage(): ConnectError {
  return refuseConnect("origin not allowed: gateway.http.cors.origins lists the pages that may use this gateway", {
    code: CONNECT_ERRORS.originNotAllowed,
    reason: "origin not allowed",
  });
}

export function badProof({ code, reason }: ProofFault): ConnectError {
  return refuseConnect(reason, { code, reason });
}

/**
 * Why a caller was not let in, in the words by which clients stop trying.
 * @throws what was nobody's intention
 */
export function toConnectError(thrown: unknown, mode: Credentials["mode"], hasDeviceToken: boolean): ConnectError {
  if (!(thrown instanceof GatewayError)) throw thrown;
  if (!(thrown instanceof AuthError)) return new ConnectError(toSocketError(thrown), SOCKET_CLOSE.tryAgain);
  const { reason, message } = thrown;
  const kind = mode === "password" ? "password" : "token";
  const missing = kind === "password" ? CONNECT_ERRORS.passwordMissing : CONNECT_ERRORS.tokenMissing;
  const mismatch = kind === "password" ? CONNECT_ERRORS.passwordMismatch : CONNECT_ERRORS.tokenMismatch;
  // What HTTP says of its header is no help here.
  const isUnsent = reason === "missing" || reason === "malformed";
  const words = isUnsent ? `send it as auth.${kind} of connect` : message;
  const say = (what: string, code: string, authReason: string, recommendedNextStep: string) =>
    refuseConnect(`unauthorized: ${what} (${words})`, {
      code,
      authReason,
      canRetryWithDeviceToken: false,
      recommendedNextStep,
    });
  switch (reason) {
    case "locked_out":
      return rateLimited(thrown);
    // AUTH_UNAUTHORIZED would fit both, but clients try again on it for ever.
    case "not_local":
      return say("not let in", CONNECT_ERRORS.verifiedUserRequired, reason, "review_auth_configuration");
    case "not_proxied":
      return say("not let in", CONNECT_ERRORS.identityHeaderRequired, reason, "review_auth_configuration");
  }
  if (hasDeviceToken) {
    const code = CONNECT_ERRORS.deviceTokenMismatch;
    return say("device token mismatch", code, "device_token_mismatch", "update_auth_credentials");
  }
  if (reason === "missing") {
    return say(`gateway ${kind} missing`, missing, `${kind}_missing`, "update_auth_configuration");
  }
  return say(`gateway ${kind} mismatch`, mismatch, `${kind}_mismatch`, "update_auth_credentials");
}

function rateLimited(thrown: AuthError): ConnectError {
  const { message, retryAfter = 1 } = toGatewayError(thrown);
  return new ConnectError(
    new SocketError("INVALID_REQUEST", `unauthorized: ${message}`, {
      details: {
        code: CONNECT_ERRORS.rateLimited,
        authReason: "rate_limited",
        canRetryWithDeviceToken: false,
        recommendedNextStep: "wait_then_retry",
      },
      retryable: true,
      retryAfterMs: retryAfter * 1000,
    }),
  );
}
