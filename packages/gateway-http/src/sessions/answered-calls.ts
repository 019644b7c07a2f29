import type { TurnMessage } from "../chat/turn.ts";

/**
 * The talk with a result for every tool call: one the client never answered is said to be so, because providers refuse
 * a call without a result. A call is answered right behind it or not at all; some models use the same id every time.
 * Pure.
 */
export function withAnsweredCalls(talk: readonly TurnMessage[]): TurnMessage[] {
  const whole: TurnMessage[] = [];
  let open: string[] = [];
  const close = () => {
    for (const id of open) whole.push({ role: "tool", tool_call_id: id, content: "not answered" });
    open = [];
  };
  for (const message of talk) {
    if (message.role === "tool") open = open.filter((id) => id !== message.tool_call_id);
    else close();
    whole.push(message);
    if (message.role === "assistant") open = message.tool_calls?.map(({ id }) => id) ?? [];
  }
  close();
  return whole;
}
