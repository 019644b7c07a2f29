import type { FinishReason, Usage } from "@openclaw/protocol";
import type { Agent } from "../agents/agent.ts";
import type { Answer } from "../chat/to-completion.ts";
import type { Turn } from "../chat/turn.ts";
import type { SessionRef } from "../sessions/store.ts";

/** How a run ended that ended well. */
export interface RunEnd {
  readonly answer: Answer;
  readonly usage: Usage | undefined;
  readonly finishReason: FinishReason;
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
  };
  readonly channel?: string | undefined;
  /**
   * Awaited before anybody is told that the run has ended well, and called together with the session's own writing. With
   * it, a run keeps its text although its watcher has it.
   */
  readonly beforeEnd?: ((end: RunEnd) => Promise<void>) | undefined;
  /** Another model for this run. */
  readonly model?: string | undefined;
}
