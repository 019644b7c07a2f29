import type { Message } from "@openclaw/protocol";

/** One session: whose it is and its key. Another owner's session of the same key is another session. */
export interface SessionRef {
  readonly owner: string;
  readonly key: string;
}

/** A message of a session, as it is kept. */
export interface StoredMessage {
  readonly message: Message;
  readonly runId: string;
  /** Unix time in milliseconds. */
  readonly at: number;
  /** The run was cut short: the message is what had been said by then. */
  readonly aborted?: boolean;
}

/**
 * Where sessions live. Small and asynchronous, so that a database on this machine or another is one adapter away.
 * When `append` resolves, the messages are as durable as the store promises.
 */
export interface SessionStore {
  /** The talk so far, oldest first; empty for a session that does not exist. */
  read(session: SessionRef): Promise<readonly StoredMessage[]>;
  append(session: SessionRef, messages: readonly StoredMessage[]): Promise<void>;
  close(): Promise<void>;
}
