import { AbortError, RunError, type SocketError, StreamTruncatedError } from "../errors.ts";

/** Of a run that has no answer. */
export function toError(message?: string, kind = "unknown", stopReason?: string): Error {
  if (message === "aborted" || stopReason === "rpc") return new AbortError("The run was aborted.");
  return new RunError(message || "The run failed.", kind);
}

/** A key may be allowed to chat and not to read: its runs are told of all the same. */
export function unlessForbidden(error: Partial<SocketError>): undefined {
  if (error.code !== "FORBIDDEN") throw error;
}

export function toLost(): Error {
  return new StreamTruncatedError("The gateway does not know the run any more: it may have been started anew.");
}
