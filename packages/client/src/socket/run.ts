import type { ChatMessage, SocketEventPayload } from "@openclaw/protocol/socket";
import { createAttempt } from "../attempt.ts";
import { createOutcome } from "../chat/outcome.ts";
import { toIdempotencyKey } from "../options.ts";
import type { Ask, SocketRequestOptions } from "./ask.ts";
import { textOf } from "./frames.ts";
import { createInTurn } from "./in-turn.ts";
import { toError, toLost, unlessForbidden } from "./run-errors.ts";
import type { RunResult, SendParams, SocketRun } from "./types.ts";

/** Messages of the session that are looked through for an answer that came while the connection was away. */
const LOOKED_THROUGH = 200;

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

/** What a run knows of its socket. */
interface RunScope {
  ask: Ask;
  /** Which start of the gateway it is connected to, or was last. */
  bootId(): string | undefined;
}

/** @param onEnd - Called once. */
export function createRun(
  { ask, bootId }: RunScope,
  { idempotencyKey, ...given }: SendParams,
  options: SocketRequestOptions | undefined,
  onEnd: () => void,
): OpenRun {
  const runId = toIdempotencyKey(idempotencyKey) as string;
  const { sessionKey, agentId } = given;
  const session = { sessionKey, ...(agentId !== undefined && { agentId }) };
  const outcome = createOutcome<RunResult>();
  const scope = createAttempt(options?.signal);
  const ended = new AbortController();
  const { signal } = ended;
  let text = "";
  /** How often the text was another one all at once. */
  let rewrites = 0;
  let isKnown = false;
  let sentTo: string | undefined;
  let waiting: (() => void)[] = [];

  function tell(): void {
    const all = waiting;
    waiting = [];
    for (const wake of all) wake();
  }

  function advance(next: string): void {
    // What is older than what is known is no news.
    if (signal.aborted || text.startsWith(next)) return;
    if (!next.startsWith(text)) rewrites++;
    text = next;
    tell();
  }

  function over(): boolean {
    if (signal.aborted) return false;
    ended.abort();
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
    if (message) advance(textOf(message));
    if (!over()) return;
    outcome.resolve({ text, message, stopReason, usage });
    tell();
  }

  const look = createInTurn(
    async () => {
      if (!isKnown) return;
      const history = await ask("chat.history", { ...session, limit: LOOKED_THROUGH }, { signal }).catch(
        unlessForbidden,
      );
      const { inFlightRun, messages = [], sessionInfo } = history ?? {};
      if (inFlightRun?.runId === runId) return advance(inFlightRun.text);
      if (sessionInfo?.activeRunIds?.includes(runId)) return;
      // Only now: what is asked of a run under way may be over when the history comes.
      const end = await ask("agent.wait", { runId, timeoutMs: 0 }, { signal });
      const answer = messages.findLast(({ role, __openclaw }) => role === "assistant" && __openclaw?.runId === runId);
      const { status, stopReason, error, endedAt, terminalReply } = end;
      advance(answer ? textOf(answer) : (terminalReply?.text ?? ""));
      if (status === "error") fail(toError(error, "unknown", stopReason));
      else if (status === "timeout" && endedAt !== undefined) fail(toError(error, status));
      else if (status === "ok") finish(answer, stopReason ?? answer?.stopReason, answer?.usage);
      // The gateway remembers ends for minutes only, and answers for good.
      else if (answer && answer.stopReason !== "aborted") finish(answer, answer.stopReason, answer.usage);
      else if (history || bootId() !== sentTo) fail(toLost());
    },
    fail,
    signal,
  );

  async function abort(): Promise<boolean> {
    if (signal.aborted) return false;
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
      } else if (signal.aborted) return void (await outcome.promise);
      else {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
      }
    }
  }

  const onAbort = () => {
    if (signal.aborted) return;
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
        sentTo = bootId();
        // One that there was before has a past.
        if (status !== "started") look();
      } catch (error) {
        fail(error as Error);
        throw error;
      }
    },
    onChat(payload) {
      const chat = payload as SocketEventPayload<"chat">;
      if (signal.aborted || chat.runId !== runId) return;
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
