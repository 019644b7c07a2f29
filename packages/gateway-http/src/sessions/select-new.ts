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
