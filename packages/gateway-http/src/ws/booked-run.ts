import type { GatewayError } from "../errors/gateway-error.ts";
import type { toUsage } from "./run-words.ts";
import type { NamedSession } from "./session-ref.ts";

/** How a run ended, without the run: its steps, its thoughts and what its error came of are not kept for this. */
export interface Ending {
  readonly status: "ok" | "aborted" | "timeout" | "error";
  /** Unix time in milliseconds. */
  readonly endedAt: number;
  readonly text: string;
  readonly error: Failure | undefined;
  readonly stopReason: string | undefined;
  readonly usage: ReturnType<typeof toUsage>;
  /** `provider/model`. */
  readonly model: string | undefined;
}

/** An error that ended a run. */
export interface Failure extends Pick<GatewayError, "code" | "message"> {
  /** Whether the same may be asked again. */
  readonly retryable: boolean | undefined;
  /** Milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** A run that the socket started. */
export interface BookedRun {
  readonly runId: string;
  readonly session: NamedSession;
  readonly method: "chat.send" | "agent";
  /** What was asked, to tell whether the same is asked again. */
  readonly fingerprint: string;
  /** Unix time in milliseconds. */
  readonly acceptedAt: number;
  /** When its turn came; `undefined` while it waits. */
  startedAt: number | undefined;
  /** Once it is over. */
  ending: Ending | undefined;
}
