import type { TurnMessage } from "../chat/turn.ts";

/**
 * The talk with a result for every tool call: one the client never answered is said to be so, because providers refuse
 * a call without a result. Pure.
 */
export function withAnsweredCalls(talk: readonly TurnMessage[]): TurnMessage[] {
  const results = new Set(talk.map((message) => (message.role === "tool" ? message.tool_call_id : "")));
  return talk.flatMap((message) => {
    const calls = message.role === "assistant" ? (message.tool_calls ?? []) : [];
    const open = calls.filter(({ id }) => !results.has(id));
    const content = "not answered";
    return [message, ...open.map(({ id }): TurnMessage => ({ role: "tool", tool_call_id: id, content }))];
  });
}
