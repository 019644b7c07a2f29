import type { ChatMessage, HelloOk, SocketParams } from "@openclaw/protocol/socket";

/** How a socket stands to its gateway. */
export type SocketStatus =
  /** Nobody has asked for anything yet. */
  | { readonly state: "idle" }
  | { readonly state: "connecting" }
  | { readonly state: "ready"; readonly hello: HelloOk }
  /** Before the next try, in so many milliseconds. */
  | { readonly state: "waiting"; readonly error: Error; readonly delayMs: number }
  /** For good; or, with an error that no further try would help, until `connect()`. */
  | { readonly state: "closed"; readonly error?: Error };

/** As of `chat.send`. The same `idempotencyKey` again, with the same message, is the same run. */
export type SendParams = Omit<SocketParams<"chat.send">, "idempotencyKey"> & {
  /** @defaultValue 128 bits by chance */
  idempotencyKey?: string | undefined;
};

/** What a run came to. */
export interface RunResult {
  /** All of it, as the run's `text`. Empty when there is no answer in words. */
  readonly text: string;
  /** The answer as the gateway told it. `__openclaw` and `stopReason` are there when it was read from the session. */
  readonly message: ChatMessage | undefined;
  readonly stopReason: string | undefined;
  readonly usage: { input: number; output: number; totalTokens: number } | undefined;
}

/**
 * A run, which survives the connection: when that breaks, or events are lost, it is taken up again. A loop over it gets
 * its text as it comes, each piece exactly once; text that the agent writes anew comes whole. A second loop gets all of
 * it again.
 */
export interface SocketRun extends AsyncIterable<string> {
  /** Its idempotency key. */
  readonly runId: string;
  /** As it was asked for. */
  readonly sessionKey: string;
  /** All text so far. */
  readonly text: string;
  /**
   * @throws AbortError when it was ended, by whomever, or the socket was closed
   * @throws RunError when it failed
   * @throws StreamTruncatedError when the gateway does not know it any more
   * @throws SocketError, ConnectionError when the gateway lets nobody in any more
   */
  done(): Promise<RunResult>;
  /** Ends it at the gateway. Resolves to whether there was something to end. To leave a loop ends nothing. */
  abort(): Promise<boolean>;
}

export interface WatchOptions {
  agentId?: string | undefined;
  /**
   * Messages to begin with: the newest.
   * @defaultValue 200
   */
  limit?: number | undefined;
}

/** A session as it is now. Its lists are new ones when they are others. */
export interface WatchedSession {
  /** In full, once it is known. */
  readonly sessionKey: string;
  /** Oldest first. */
  readonly messages: readonly ChatMessage[];
  /** Whether there are older ones. */
  readonly hasMore: boolean;
  /** The answer under way, and how far it is. */
  readonly running: { readonly runId: string; readonly text: string } | undefined;
  /** Why the last run has no answer, or not all of it; until the next one begins. */
  readonly failure: { readonly runId: string; readonly message: string; readonly kind: string } | undefined;
  /** Whether it is up to date: not before it was read, nor while the connection is away. */
  readonly isLive: boolean;
  /** Why it cannot be read, or is not any more. */
  readonly error: Error | undefined;
}
