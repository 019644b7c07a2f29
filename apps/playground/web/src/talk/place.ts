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
 * Where a message belongs that is not shown yet: before what comes after it in the session, and before what is yet to
 * begin.
 */
export function findPlace(
  entries: readonly Entry[],
  after: readonly ChatMessage[],
  claimed: string | undefined,
): number {
  const pending = findPending(entries);
  const own = pending && findQuestion(entries, pending);
  for (const { __openclaw: place } of after) {
    if (place === undefined) continue;
    if (own !== undefined && claimed !== undefined && place.runId === claimed) return own;
    const at = entries.findIndex(
      (entry) =>
        entry.kind !== "note" &&
        (entry.messageId === place.id || (entry.runId !== undefined && entry.runId === place.runId)),
    );
    if (at !== -1) return at;
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
