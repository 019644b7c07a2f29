import type { StoredMessage } from "./store.ts";

/**
 * The talk of a session without what no answer came to: its caller got an error and says it again, and must not be
 * heard twice. Pure.
 */
export function withoutUnanswered(past: readonly StoredMessage[]): readonly StoredMessage[] {
  const answered = new Set<string>();
  past.forEach(({ message, runId }, index) => {
    // The answer is the last thing a run keeps.
    if (message.role === "assistant" && past[index + 1]?.runId !== runId) answered.add(runId);
  });
  return past.filter(({ runId }) => answered.has(runId));
}

/**
 * Which of a request's messages the session does not have yet. Clients resend the whole talk, or send only what is
 * new: everything up to the last answer was said before, unless the session is empty. Pure.
 */
export function selectNew<T extends { readonly role: string }>(
  sent: readonly T[],
  sessionIsEmpty: boolean,
): readonly T[] {
  if (sessionIsEmpty) return sent;
  const lastAnswer = sent.findLastIndex((message) => message.role === "assistant");
  const fresh = sent.slice(lastAnswer + 1);
  // An answer at the very end is a request to continue it: it is all there is to say.
  return fresh.length > 0 ? fresh : sent.slice(lastAnswer);
}
