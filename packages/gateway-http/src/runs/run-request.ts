import type { Agent } from "../agents/agent.ts";
import type { Turn } from "../chat/turn.ts";
import type { SessionRef } from "../sessions/store.ts";

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
  /** Another model for this run. */
  readonly model?: string | undefined;
}
