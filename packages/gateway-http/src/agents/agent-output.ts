import type { FinishReason } from "@openclaw/protocol";
import type { AgentEvent, RunEvent } from "../chat/run-event.ts";
import type { AgentOutput } from "./agent.ts";

export type AgentEnd = Extract<AgentEvent, { type: "end" }>;

/**
 * What an agent yielded, as events of a run. Checked, because an agent may be anybody's code and a broken event must
 * not become a broken frame.
 * @throws TypeError for anything that is no output
 */
export function toRunEvents(output: AgentOutput): { events: readonly RunEvent[]; end?: AgentEnd } {
  if (typeof output === "string") return { events: output === "" ? [] : [{ type: "text-delta", text: output }] };
  const list: readonly AgentEvent[] = Array.isArray(output) ? output : [output];
  let end: AgentEnd | undefined;
  for (const event of list) {
    if (!isAgentEvent(event)) throw new TypeError("the agent yielded something that is no event");
    if (event.type === "end") end = event;
  }
  // Only the last batch of an answer holds its end: the others pass as they are.
  if (end === undefined) return { events: list as readonly RunEvent[] };
  return { events: list.filter((event) => event.type !== "end"), end };
}

const FINISH_REASONS: ReadonlySet<unknown> = new Set<FinishReason>(["stop", "length", "tool_calls", "content_filter"]);

function isAgentEvent(event: AgentEvent): boolean {
  switch (event?.type) {
    case "text-delta":
    case "reasoning-delta":
    case "refusal-delta":
      return typeof event.text === "string";
    case "tool-call-start":
      return isIndex(event.index) && typeof event.id === "string" && typeof event.name === "string";
    case "tool-call-delta":
      return isIndex(event.index) && typeof event.arguments === "string";
    case "tool-start":
      return typeof event.id === "string" && typeof event.name === "string";
    case "tool-end":
      return typeof event.id === "string" && typeof event.ok === "boolean";
    case "model":
      return typeof event.model === "string";
    case "step":
      // Looked at where it is kept.
      return typeof event.message === "object" && event.message !== null;
    case "usage":
      return Number.isFinite(event.usage?.prompt_tokens) && Number.isFinite(event.usage?.completion_tokens);
    case "end":
      return FINISH_REASONS.has(event.finishReason);
    default:
      return false;
  }
}

/** A call's position in the answer; OpenAI's limit on tools bounds it. */
function isIndex(index: unknown): boolean {
  return Number.isInteger(index) && (index as number) >= 0 && (index as number) < 1024;
}
