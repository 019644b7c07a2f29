import type { FinishReason, Usage } from "@openclaw/protocol";
import type { Agent } from "../agents/agent.ts";
import type { CallerLimits } from "../auth/caller.ts";
import type { Answer } from "../chat/to-completion.ts";
import type { Turn } from "../chat/turn.ts";
import type { GatewayError } from "../errors/gateway-error.ts";
import type { TraceContext } from "../observe/traces.ts";
import type { SessionRef } from "../sessions/store.ts";

/** How a run ended that ended well. */
export interface RunEnd {
  readonly answer: Answer;
  readonly usage: Usage | undefined;
  readonly finishReason: FinishReason;
}

/** What is done before anybody is told of a run's end, in one with the session's own writing. */
export interface RunHooks {
  beforeEnd(end: RunEnd): Promise<void>;
  /** Not called for a run that was aborted: its watchers are told at once. */
  beforeFail?(error: GatewayError): Promise<void>;
  /** The caller sends the same again after a failure that may be tried again. */
  readonly isKeyed?: boolean;
}

/** Everything a run needs to know, whichever door it came through. */
export interface RunRequest {
  readonly agent: Agent;
  readonly turn: Turn;
  readonly session: SessionRef & {
    /** Nothing is read, written or waited for. */
    readonly stateless: boolean;
    /** The key is a chat's own id: each request carries the whole talk. */
    readonly isChat?: boolean;
    /** The caller sends only what is new, and never again what it sent: the same words are another message. */
    readonly continues?: boolean;
  };
  readonly channel?: string | undefined;
  readonly hooks?: RunHooks | undefined;
  /** The whole text is wanted at the end, although whoever watches a stream has it. */
  readonly needsText?: boolean;
  /** Names the run, where its caller does. Not that of another run of its owner's. */
  readonly id?: string | undefined;
  /** Milliseconds it may take, where that is less than what its agent lets it. */
  readonly timeoutMs?: number | undefined;
  /** Of whoever asks. */
  readonly limits?: CallerLimits | undefined;
  /** Another model for this run. */
  readonly model?: string | undefined;
  /** What its span belongs into; the active context when absent. */
  readonly trace?: TraceContext | undefined;
}
