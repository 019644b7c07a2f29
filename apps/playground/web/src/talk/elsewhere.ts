import { type ChatMessage, type SocketEventPayload, textOf, type WatchedSession } from "@openclaw/client/socket";
import type { Entries } from "./entries.ts";
import type { Answer, NewEntry } from "./entry.ts";
import { NO_FIGURES } from "./figures.ts";
import { toModel } from "./from-session.ts";
import { addTool, sayAll } from "./live-parts.ts";
import { endThought } from "./parts.ts";
import { findClaimed, findPending, findPlace, hasTurned } from "./place.ts";
import { type Problem, toForeignProblem, UNKNOWN_END } from "./problem.ts";

/** Shows in a talk what others say in its session. */
export interface Elsewhere {
  /** The run that seems to be this page's, by its question. */
  readonly claimed: string | undefined;
  /** Takes the session as it is now. */
  show(session: WatchedSession): void;
  /** The same once more: of the page's own runs more is known. */
  showAgain(): void;
  /** Takes what a tool does. */
  showTool(event: SocketEventPayload<"agent">): void;
  /** For another talk, of which the session keeps these. */
  begin(entries: readonly NewEntry[]): void;
}

export interface ElsewhereOptions {
  entries: Entries;
  /** The runs that this page began. */
  own: ReadonlySet<string>;
  now(): number;
  /** An answer is whole, in words. */
  onAnswer(answer: Answer): void;
  /** What stood in the session stands there no longer: it went another way, or is gone. */
  onTurn(): void;
}

export function createElsewhere({ entries, own, now, onAnswer, onTurn }: ElsewhereOptions): Elsewhere {
  /** Messages that need no place: they have one, are this page's, or were said before what is shown. */
  let seen = new Set<string>();
  /** Sessions of which it is known where what is shown begins. */
  let known = new Set<string>();
  let latest: WatchedSession | undefined;
  let claimed: string | undefined;

  const isOwn = (runId: string | undefined) => runId !== undefined && (own.has(runId) || runId === claimed);

  function addAnswer(at: number, { sessionKey: sessionId }: WatchedSession, runId: string | undefined): Answer {
    const model = toModel(/^agent:([^:]+):/.exec(sessionId)?.[1] ?? "default");
    const about = { ...(runId !== undefined && { runId }), sessionId, isElsewhere: true, model };
    return entries.add({ kind: "answer", status: "running", parts: [], figures: NO_FIGURES, cuts: [], ...about }, at);
  }

  /** At the first look at a session: what stands before the last message that the page has is not wanted. */
  function skipOlder({ sessionKey, messages }: WatchedSession): void {
    if (known.has(sessionKey)) return;
    known.add(sessionKey);
    const last = messages.findLastIndex(({ __openclaw: place }) => place && (seen.has(place.id) || isOwn(place.runId)));
    for (const { __openclaw: place } of messages.slice(0, last + 1)) if (place) seen.add(place.id);
  }

  function addMessage(session: WatchedSession, message: ChatMessage, index: number): void {
    const { id, runId } = message.__openclaw ?? {};
    if (id === undefined || seen.has(id) || (runId !== undefined && runId === claimed)) return;
    seen.add(id);
    if (isOwn(runId)) return;
    const text = textOf(message);
    const place = () => findPlace(entries.get(), session.messages, index, claimed);
    if (message.role === "user") {
      const about = { ...(runId !== undefined && { runId }), messageId: id, isElsewhere: true };
      // Read while its run was beginning, the session has the run already, and its question not yet.
      const answer = entries.findAnswer(runId);
      entries.add({ kind: "said", text, ...about }, answer ? entries.get().indexOf(answer) : place());
    } else if (message.role === "assistant") {
      const answer = entries.findAnswer(runId) ?? addAnswer(place(), session, runId);
      // Why it was cut short, its failure says; that may come first.
      const ending = message.stopReason === "aborted" ? "stopped" : "done";
      const status = answer.problem ? "failed" : ending;
      const whole = { messageId: id, status, parts: sayAll(answer.parts, text) } as const;
      entries.update(answer.id, () => whole);
      onAnswer({ ...answer, ...whole });
    }
  }

  function addRunning(session: WatchedSession): void {
    const { running, messages } = session;
    if (!running || isOwn(running.runId)) return;
    const { runId, text } = running;
    // A question that is asked again is no new message: whose it is shows when this page's own run is known.
    const isDoubtful = findPending(entries.get()) && !messages.some(({ __openclaw: place }) => place?.runId === runId);
    const shown = entries.findAnswer(runId);
    if (!shown && isDoubtful) return;
    const answer =
      shown ??
      addAnswer(
        entries.placeOfAnswer(runId) ?? findPlace(entries.get(), messages, messages.length, claimed),
        session,
        runId,
      );
    if (answer.status === "running") entries.update(answer.id, ({ parts }) => ({ parts: sayAll(parts, text) }));
  }

  function addFailure(session: WatchedSession): void {
    const { failure } = session;
    if (!failure || isOwn(failure.runId)) return;
    const { runId, kind } = failure;
    const place = entries.placeOfAnswer(runId);
    const answer = entries.findAnswer(runId) ?? (place === undefined ? undefined : addAnswer(place, session, runId));
    if (!answer?.isElsewhere || answer.status === "failed" || answer.status === "done") return;
    const parts = endThought(answer.parts, now());
    const ending = kind === "aborted" ? ({ status: "stopped" } as const) : toFailed(toForeignProblem(failure));
    entries.update(answer.id, () => ({ ...ending, parts }));
  }

  /** Of runs that ended while nobody looked on, and left nothing. */
  function addUnknownEnds({ running, isLive }: WatchedSession): void {
    if (!isLive) return;
    for (const entry of entries.get()) {
      if (entry.kind !== "answer" || !entry.isElsewhere || entry.status !== "running") continue;
      if (entry.runId === running?.runId) continue;
      entries.update(entry.id, ({ parts }) => ({ ...toFailed(UNKNOWN_END), parts: endThought(parts, now()) }));
    }
  }

  function show(session: WatchedSession): void {
    const isTurned = hasTurned(latest, session);
    latest = session;
    // Not read yet.
    if (!session.isLive && !known.has(session.sessionKey)) return;
    claimed = findClaimed(entries.get(), session.messages, ({ id, runId }) => seen.has(id) || own.has(runId ?? ""));
    skipOlder(session);
    for (const [index, message] of session.messages.entries()) addMessage(session, message, index);
    addRunning(session);
    addFailure(session);
    addUnknownEnds(session);
    if (isTurned) onTurn();
  }

  return {
    get claimed() {
      return claimed;
    },
    show,
    showAgain: () => latest && show(latest),
    showTool(event) {
      const answer = isOwn(event.runId) ? undefined : entries.findAnswer(event.runId);
      if (answer?.status !== "running") return;
      entries.update(answer.id, ({ parts }) => ({ parts: addTool(parts, event, now()) }));
    },
    begin(kept) {
      const ids = kept.map((entry) => (entry.kind === "note" ? undefined : entry.messageId));
      seen = new Set(ids.filter((id) => id !== undefined));
      known = new Set();
      latest = undefined;
      claimed = undefined;
    },
  };
}

function toFailed(problem: Problem): Partial<Answer> {
  return { status: "failed", problem };
}
