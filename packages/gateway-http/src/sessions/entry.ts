import type { Usage } from "@openclaw/protocol";
import type { TurnMessage } from "../chat/turn.ts";

/** One message of a session's tree. Never changed once it is kept. */
export interface Entry {
  /** Unique in its session. */
  readonly id: string;
  /** The entry it answers or follows; `null` for a first message. */
  readonly parent: string | null;
  readonly message: TurnMessage;
  readonly runId: string;
  /** Unix time in milliseconds. */
  readonly at: number;
  /** A step of the agent's that callers do not see: its own tool calls, their results. */
  readonly hidden?: boolean;
  /** Its caller sent only what was new: to the model, all that is above came before it. */
  readonly alone?: boolean;
  /** The run was cut short: the message is what had been said by then. */
  readonly aborted?: boolean;
  readonly usage?: Usage;
}

/** What a turn adds to a session, all of it or nothing. */
export interface Addition {
  /** The agent of the session, kept when this makes it. */
  readonly agent: string;
  /** Each one's parent is kept already or stands before it. */
  readonly entries: readonly Entry[];
  /**
   * Where the head moves; `null` takes it away, so that what is new begins a branch of its own. Absent: it stays.
   */
  readonly head?: string | null;
  /** The caller sent history, not only what is new. */
  readonly carriesHistory?: boolean;
  /** This makes the session, also an empty one. Nothing is added when there is one already. */
  readonly begins?: Pick<SessionSettled, "title"> & Partial<SessionSettled>;
}

/** What a session's owner chose for it. */
export interface SessionSettled {
  readonly title: string | null;
  readonly settings: SessionSettings;
}

/** How runs in a session differ from others of its agent. Absent: they do not. */
export interface SessionSettings {
  /** Another model, `provider/model`. */
  readonly model?: string;
  /** How much is thought before an answer: `reasoning_effort`, or `off`. */
  readonly thinking?: string;
}

/** The entry that has to be there already for an addition to make sense; `null` when it begins a branch. */
export function anchorOf({ entries, head }: Pick<Addition, "entries" | "head">): string | null {
  return entries[0] ? entries[0].parent : (head ?? null);
}
