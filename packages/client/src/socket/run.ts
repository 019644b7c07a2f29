import type { ChatMessage, SocketEventPayload, SocketParams } from "@openclaw/protocol/socket";
import { createAttempt } from "../attempt.ts";
import { createOutcome } from "../chat/outcome.ts";
import { AbortError, RunError, type SocketError, StreamTruncatedError } from "../errors.ts";
import { toIdempotencyKey } from "../options.ts";
import type { Ask, SocketRequestOptions } from "./ask.ts";
import { textOf } from "./frames.ts";
import { createInTurn } from "./in-turn.ts";

/** Messages of the session that are looked through for an answer that came while the connection was away. */
const LOOKED_THROUGH = 50;

/** As of `chat.send`. The same `idempotencyKey` again, with the same message, is the same run. */
export type SendParams = Omit<SocketParams<"chat.send">, "idempotencyKey"> & {
  /** @defaultValue 128 bits by chance */
  idempotencyKey?: string | undefined;
};

/** What a run came to. */
export interface RunResult {
  /** Empty when there is no answer in words. */
  readonly text: string;
  /** The answer as a message of the session. */
  readonly message: ChatMessage | undefined;
  readonly stopReason: string | undefined;
  readonly usage: { input: number; output: number; totalTokens: number } | undefined;
}

/**
 * A run, which survives the connection: when that breaks, or events are lost, it is taken up again. A loop over it gets
 * its text as it comes, each piece exactly once. A second loop gets all of it again.
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

/** What the socket has of a run. */
export interface OpenRun {
  readonly run: SocketRun;
  /** Resolves once the gateway has it. */
  send(): Promise<void>;
  onChat(payload: object): void;
  /** Asks what has become of it. */
  look(): void;
  fail(error: Error): void;
}

/** @param onEnd - Called once. */
export function createRun(
  ask: Ask,
  { idempotencyKey, ...given }: SendParams,
  options: SocketRequestOptions | undefined,
  onEnd: () => void,
): OpenRun {
  const runId = toIdempotencyKey(idempotencyKey) as string;
  const { sessionKey, agentId } = given;
  const session = { sessionKey, ...(agentId !== undefined && { agentId }) };
  const outcome = createOutcome<RunResult>();
  const scope = createAttempt(options?.signal);
  let text = "";
  /** How often the text was another one all at once. */
  let rewrites = 0;
  let isKnown = false;
  let isOver = false;
  let waiting: (() => void)[] = [];

  function tell(): void {
    const all = waiting;
    waiting = [];
    for (const wake of all) wake();
  }

  function advance(next: string): void {
    // What is older than what is known is no news.
    if (text.startsWith(next)) return;
    if (!next.startsWith(text)) rewrites++;
    text = next;
    tell();
  }

  function over(): boolean {
    if (isOver) return false;
    isOver = true;
    scope.release();
    onEnd();
    return true;
  }

  function fail(error: Error): void {
    if (!over()) return;
    outcome.reject(error);
    tell();
  }

  function finish(message: ChatMessage | undefined, stopReason: string | undefined, usage: RunResult["usage"]): void {
    if (!over()) return;
    if (message) advance(textOf(message));
    outcome.resolve({ text: message ? textOf(message) : text, message, stopReason, usage });
    tell();
  }

  const look = createInTurn(async () => {
    if (isOver || !isKnown) return;
    const { signal } = scope;
    const history = await ask("chat.history", { ...session, limit: LOOKED_THROUGH }, { signal }).catch(unlessForbidden);
    const { inFlightRun, messages = [], sessionInfo } = history ?? {};
    if (isOver) return;
    if (inFlightRun?.runId === runId) return advance(inFlightRun.text);
    if (sessionInfo?.activeRunIds?.includes(runId)) return;
    // Only now: what is asked of a run under way may be over when the history comes.
    const end = await ask("agent.wait", { runId, timeoutMs: 0 }, { signal });
    if (isOver) return;
    const answer = messages.findLast(({ role, __openclaw }) => role === "assistant" && __openclaw?.runId === runId);
    const { status, stopReason, error, endedAt, terminalReply } = end;
    advance(answer ? textOf(answer) : (terminalReply?.text ?? ""));
    if (status === "error") fail(toError(error, "unknown", stopReason));
    else if (status === "timeout" && endedAt !== undefined) fail(toError(error, status));
    else if (status === "ok") finish(answer, stopReason ?? answer?.stopReason, answer?.usage);
    // The gateway remembers ends for minutes only, and answers for good.
    else if (answer && answer.stopReason !== "aborted") finish(answer, answer.stopReason, answer.usage);
    else if (history) fail(toLost());
  }, fail);

  async function abort(): Promise<boolean> {
    if (isOver) return false;
    const { aborted } = await ask("chat.abort", { ...session, runId });
    if (!aborted) look();
    return aborted;
  }

  async function* read(): AsyncGenerator<string, void, undefined> {
    let seen = rewrites;
    for (let at = 0; ; ) {
      if (seen !== rewrites) [seen, at] = [rewrites, 0];
      if (at < text.length) {
        const piece = text.slice(at);
        at = text.length;
        yield piece;
      } else if (isOver) return void (await outcome.promise);
      else {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
      }
    }
  }

  const onAbort = () => {
    if (isOver) return;
    fail(scope.signal.reason);
    // Nobody waits for it: at worst the run goes on, as without a word.
    ask("chat.abort", { ...session, runId }).catch(() => {});
  };
  scope.signal.addEventListener("abort", onAbort);

  return {
    run: {
      runId,
      sessionKey,
      get text() {
        return text;
      },
      done: () => outcome.promise,
      abort,
      [Symbol.asyncIterator]: read,
    },
    async send() {
      try {
        const sent = { ...given, idempotencyKey: runId };
        const { status } = await ask("chat.send", sent, { ...options, signal: scope.signal });
        isKnown = true;
        // One that there was before has a past.
        if (status !== "started") look();
      } catch (error) {
        fail(error as Error);
        throw error;
      }
    },
    onChat(payload) {
      const chat = payload as SocketEventPayload<"chat">;
      if (isOver || chat.runId !== runId) return;
      isKnown = true;
      if (chat.state === "delta") return advance(textOf(chat.message));
      if (chat.state === "final") return finish(chat.message, chat.stopReason, chat.usage);
      if (chat.state !== "aborted" && chat.state !== "error") return;
      if (chat.message) advance(textOf(chat.message));
      if (chat.state === "error") fail(toError(chat.errorMessage, chat.errorKind));
      else fail(toError("aborted"));
    },
    look,
    fail,
  };
}

function toError(message?: string, kind = "unknown", stopReason?: string): Error {
  if (message === "aborted" || stopReason === "rpc") return new AbortError("The run was aborted.");
  return new RunError(message || "The run failed.", kind);
}

/** A key may be allowed to chat and not to read: its runs are told of all the same. */
function unlessForbidden(error: Partial<SocketError>): undefined {
  if (error.code !== "FORBIDDEN") throw error;
}

function toLost(): Error {
  return new StreamTruncatedError("The gateway does not know the run any more: it may have been started anew.");
}
