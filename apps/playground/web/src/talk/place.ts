import { type ChatMessage, textOf, type WatchedSession } from "@openclaw/client/socket";
import type { Answer, Entry } from "./entry.ts";

/** Where the turn of an answer begins. */
function findQuestion(entries: readonly Entry[], answer: Answer): number {
  const at = entries.indexOf(answer);
  return entries[at - 1]?.kind === "said" ? at - 1 : at;
}

/** This page's answer of which the run is not known yet: it may wait for its turn. */
export function findPending(entries: readonly Entry[]): Answer | undefined {
  return entries.findLast(
    (entry): entry is Answer =>
      entry.kind === "answer" && entry.status === "running" && !entry.isElsewhere && entry.runId === undefined,
  );
}

/**
 * The run whose question has the words of the one that this page waits with: it is that, until the page is told of its
 * run. That happens not before the agent says something.
 *
 * @param isTaken whether it is another question
 */
export function findClaimed(
  entries: readonly Entry[],
  messages: readonly ChatMessage[],
  isTaken: (place: NonNullable<ChatMessage["__openclaw"]>) => boolean,
): string | undefined {
  const pending = findPending(entries);
  const question = pending && entries[findQuestion(entries, pending)];
  if (question?.kind !== "said") return undefined;
  const text = question.text.trim();
  const message = messages.findLast(
    (one) => one.role === "user" && one.__openclaw && !isTaken(one.__openclaw) && textOf(one).trim() === text,
  );
  return message?.__openclaw?.runId;
}

/**
 * This page's last answer, while the session is not known to have its question: what is said elsewhere by then stands
 * before it. The page may hear of its run before it hears what the session has.
 */
function findAhead(entries: readonly Entry[], messages: readonly ChatMessage[]): Answer | undefined {
  const last = entries.findLast((entry): entry is Answer => entry.kind === "answer" && !entry.isElsewhere);
  if (last?.runId === undefined) return findPending(entries);
  if (last.status !== "running" && last.status !== "done") return undefined;
  const places = messages.map(({ __openclaw: place }) => place);
  if (places.some((place) => place?.runId === last.runId)) return undefined;
  const ids = new Set(places.map((place) => place?.id));
  const behind = entries.slice(entries.indexOf(last) + 1);
  return behind.some((entry) => entry.kind !== "note" && ids.has(entry.messageId)) ? undefined : last;
}

/**
 * Where a message belongs that is not shown yet: before what comes after it in the session, and before what is yet to
 * begin.
 *
 * @param index of the message among those of the session; behind the last for what is being said
 */
export function findPlace(
  entries: readonly Entry[],
  messages: readonly ChatMessage[],
  index: number,
  claimed: string | undefined,
): number {
  const ahead = findAhead(entries, messages);
  const own = ahead && findQuestion(entries, ahead);
  for (const { __openclaw: place } of messages.slice(index + 1)) {
    if (place === undefined) continue;
    if (own !== undefined && claimed !== undefined && place.runId === claimed) return own;
    const shown = entries.find(
      (entry) =>
        entry.kind !== "note" &&
        (entry.messageId === place.id || (entry.runId !== undefined && entry.runId === place.runId)),
    );
    // Of this page's own turns only the answer has a name; all of the turn is behind.
    if (shown) return shown.kind === "answer" ? findQuestion(entries, shown) : entries.indexOf(shown);
  }
  return own ?? entries.length;
}

/** Whether the session goes another way than before: an answer that was there is not any more. */
export function hasTurned(before: WatchedSession | undefined, now: WatchedSession): boolean {
  if (!now.isLive || before?.sessionKey !== now.sessionKey || before.messages === now.messages) return false;
  const ids = new Set(now.messages.map(({ __openclaw: place }) => place?.id));
  // One that was cut short may never have been on the way.
  return before.messages.some(
    ({ role, stopReason, __openclaw: place }) =>
      role === "assistant" && stopReason !== "aborted" && !ids.has(place?.id),
  );
}
