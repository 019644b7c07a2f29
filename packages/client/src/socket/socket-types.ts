import type {
  HelloOk,
  SocketEventName,
  SocketEventPayload,
  SocketMethodName,
  SocketParams,
  SocketResult,
} from "@openclaw/protocol/socket";
import type { SocketRequestOptions } from "./ask.ts";
import type { SendParams, SocketRun, SocketStatus, WatchedSession, WatchOptions } from "./types.ts";

/** What a socket tells of: the gateway's events, and its own two. */
export type SocketEvents = {
  [Name in Exclude<SocketEventName, "connect.challenge">]: SocketEventPayload<Name>;
} & {
  /** Events were dropped, because they were not read fast enough. Runs and watches see to it themselves. */
  gap: { expected: number; received: number };
  /** How the socket stands now. */
  status: SocketStatus;
};

/** Without `params` where a method needs none. */
type RequestArgs<Params> =
  Record<never, never> extends Params
    ? [params?: Params, options?: SocketRequestOptions]
    : [params: Params, options?: SocketRequestOptions];

/**
 * A gateway's socket. It connects when it is first used, and again whenever the connection breaks, until `close()`; what
 * is asked meanwhile waits. It gives up, and says why, on what would not get better.
 */
export interface Socket {
  readonly status: SocketStatus;
  /**
   * Connects. Needed only for events alone, for what the gateway says of itself, and after an error that ended the tries:
   * with that it begins anew. During a wait between two tries the next one is made at once.
   *
   * @param options - `signal` ends the wait with an `AbortError`, and not the tries.
   * @throws SocketError when the gateway does not want it
   */
  connect(options?: Pick<SocketRequestOptions, "signal">): Promise<HelloOk>;
  /**
   * Says something in a session. Resolves once the gateway has it, to the run that answers.
   *
   * @example
   * ```ts
   * const run = await socket.send("main", "Hello!");
   * for await (const text of run) process.stdout.write(text);
   * const { usage } = await run.done();
   * ```
   * @param options - `signal` ends the run.
   * @throws SocketError when the gateway refuses
   */
  send(sessionKey: string, message: string, options?: SocketRequestOptions): Promise<SocketRun>;
  send(params: SendParams, options?: SocketRequestOptions): Promise<SocketRun>;
  /** A session's messages, oldest first; without any when there is no such session. */
  history(
    sessionKey: string,
    params?: Omit<SocketParams<"chat.history">, "sessionKey">,
    options?: SocketRequestOptions,
  ): Promise<SocketResult<"chat.history">>;
  /** Ends the runs of a session, or the one with this `runId`. */
  abort(
    sessionKey: string,
    params?: Omit<SocketParams<"chat.abort">, "sessionKey">,
    options?: SocketRequestOptions,
  ): Promise<SocketResult<"chat.abort">>;
  /**
   * Asks anything. What changes nothing, or has a key, is asked again when the connection breaks. Of `agent` the first
   * answer is given, that it is accepted; its end tells `agent.wait`, for which `timeout` has to be the longer.
   *
   * @throws SocketError when the gateway refuses
   * @throws ConnectionError when the connection broke, and it may have been done or not
   * @throws TimeoutError when there was no answer, or no connection, in time
   */
  request<Name extends SocketMethodName>(
    method: Name,
    ...args: RequestArgs<SocketParams<Name>>
  ): Promise<SocketResult<Name>>;
  /**
   * Listens. Of `sessions.changed` and `session.message` the gateway tells only those who ask: that is done, also after a
   * connection that broke; a token that may not read sessions hears nothing. What a listener throws is an uncaught error.
   *
   * @returns what ends it
   */
  on<Name extends keyof SocketEvents>(event: Name, listener: (payload: SocketEvents[Name]) => void): () => void;
  /**
   * Shows a session live: its messages, and the answer under way, whoever asked for it. The listener gets the whole of it
   * on every change, and is never called before this returns.
   *
   * @example
   * ```ts
   * const stop = socket.watch("main", ({ messages, running }) => render(messages, running?.text));
   * ```
   * @returns what ends it
   */
  watch(sessionKey: string, onChange: (session: WatchedSession) => void, options?: WatchOptions): () => void;
  /** For good. What waits gets an `AbortError`; runs go on at the gateway. */
  close(): void;
}
