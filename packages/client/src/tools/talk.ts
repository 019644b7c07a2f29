import type { ChatCompletionParams, ChatOptions } from "../chat/create.ts";
import type { ChatCompletion } from "../types.ts";
import type { ToolCall, ToolResult } from "./call-tools.ts";

export type Messages = ChatCompletionParams["messages"];
type Answer = ChatCompletion["choices"][number]["message"];

/**
 * Each step is a request of its own. With its key goes what was added to the talk: a tool that gives something else when
 * it is run again makes another request, which a gateway would refuse under the key of the first.
 */
export function keyOf({ idempotencyKey: key }: ChatOptions, step: number, added: Messages): string | false | undefined {
  return key && step > 1 ? `${key}:${step}:${hash(JSON.stringify(added))}` : key;
}

/** FNV-1a: eight digits, always. Two talks that have the same are refused by the gateway, and no worse. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return (value >>> 0).toString(16).padStart(8, "0");
}

/**
 * Each with an id, which some servers leave out and no request may lack: the same each time that the run is made.
 * @param place - Of the message in the talk: ids are not to come twice.
 */
export function toCalls(message: Answer | undefined, place: number): ToolCall[] {
  return (message?.tool_calls ?? []).map((call, index) => ({ ...call, id: call.id || `call_${place}_${index}` }));
}

/** The agent's calls, and what came of them. A call without a name has one here, for the same reason. */
export function toStep(message: Answer | undefined, calls: readonly ToolCall[], results: ToolResult[]): Messages {
  const named = calls.map((call) => ({
    ...call,
    function: { ...call.function, name: call.function.name || "unnamed" },
  }));
  return [
    { ...message, tool_calls: named } as Messages[number],
    ...results.map(({ id, content }) => ({ role: "tool" as const, tool_call_id: id, content })),
  ];
}

/** Without calls, which nobody has made. There may be nothing else. */
export function toAnswer(message: Answer | undefined): Messages {
  if (!message?.content && !message?.refusal) return [];
  const { tool_calls: _, ...said } = message;
  return [said as Messages[number]];
}
