import type { AssistantMessage, ToolMessage, UserMessage } from "@openclaw/protocol";
import type { StoredMessage } from "./store.ts";

type TalkMessage = UserMessage | AssistantMessage | ToolMessage;

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
export function selectNew(sent: readonly TalkMessage[], past: readonly TalkMessage[]): readonly TalkMessage[] {
  if (past.length === 0) return sent;
  const lastAnswer = sent.findLastIndex((message) => message.role === "assistant");
  const fresh = sent.slice(lastAnswer + 1);
  // An answer at the very end is a request to continue it, and the session ends with it already.
  return fresh.length > 0 || past.at(-1)?.role === "assistant" ? fresh : sent.slice(lastAnswer);
}

/**
 * The talk with a result for every tool call: one the client never answered is said to be so, because providers refuse
 * a call without a result. Pure.
 */
export function withAnsweredCalls(talk: readonly TalkMessage[]): TalkMessage[] {
  const results = new Set(talk.map((message) => (message.role === "tool" ? message.tool_call_id : "")));
  return talk.flatMap((message) => {
    const calls = message.role === "assistant" ? (message.tool_calls ?? []) : [];
    const open = calls.filter(({ id }) => !results.has(id));
    const content = "not answered";
    return [message, ...open.map(({ id }): TalkMessage => ({ role: "tool", tool_call_id: id, content }))];
  });
}
