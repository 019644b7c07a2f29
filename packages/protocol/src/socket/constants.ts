/** The version of the Gateway protocol that is spoken here. */
export const SOCKET_PROTOCOL = 4;

/** Codes of WebSocket close frames in use. */
export const SOCKET_CLOSE = {
  normal: 1000,
  protocolMismatch: 1002,
  /** A policy: the handshake failed, or the client reads too slowly. The reason says which. */
  policy: 1008,
  tooBig: 1009,
  /** The gateway stops; another one may be there soon. */
  restart: 1012,
  /** No room for another socket of this caller, or the gateway's own fault in the handshake: try again. */
  tryAgain: 1013,
  /** Of a client: silence for too long. */
  silent: 4000,
  /** What the client was let in by is gone. */
  credentialsGone: 4001,
} as const;

/** Sizes in bytes, times in milliseconds. */
export const SOCKET_LIMITS = {
  /** A frame of a client before its `hello-ok`. */
  maxPayloadBefore: 65_536,
  /** A frame of a client after it: `policy.maxPayload`. */
  maxPayload: 26_214_400,
  /** What may wait to be read by a client: `policy.maxBufferedBytes`. */
  maxBufferedBytes: 52_428_800,
  handshakeTimeoutMs: 15_000,
  tickIntervalMs: 30_000,
  pingIntervalMs: 25_000,
} as const;

/** What a client may be allowed. `operator.admin` has all others in it, `operator.write` has `operator.read`. */
export const SOCKET_SCOPES = [
  "operator.read",
  "operator.write",
  "operator.admin",
  "operator.approvals",
  "operator.questions",
] as const;

export type SocketScope = (typeof SOCKET_SCOPES)[number];

/** What a response's error may be. The wire has more; these are those that are sent from here. */
export type SocketErrorCode = "INVALID_REQUEST" | "FORBIDDEN" | "UNAVAILABLE";

/** Of an error's `details.code`, where the handshake failed. Clients stop or go on trying by them. */
export const CONNECT_ERRORS = {
  identityHeaderRequired: "AUTH_IDENTITY_HEADER_REQUIRED",
  verifiedUserRequired: "AUTH_VERIFIED_USER_REQUIRED",
  tokenMissing: "AUTH_TOKEN_MISSING",
  tokenMismatch: "AUTH_TOKEN_MISMATCH",
  passwordMissing: "AUTH_PASSWORD_MISSING",
  passwordMismatch: "AUTH_PASSWORD_MISMATCH",
  deviceTokenMismatch: "AUTH_DEVICE_TOKEN_MISMATCH",
  rateLimited: "AUTH_RATE_LIMITED",
  originNotAllowed: "CONTROL_UI_ORIGIN_NOT_ALLOWED",
  protocolMismatch: "PROTOCOL_MISMATCH",
} as const;
