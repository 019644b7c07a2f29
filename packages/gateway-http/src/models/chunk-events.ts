import type { FinishReason, Usage } from "@openclaw/protocol";
import type { AgentEvent } from "../chat/run-event.ts";
import type { Carry } from "../chat/turn.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { addToolCall, type ForeignToolCall, type ToolCalls } from "./tool-calls.ts";

/** A chunk or a completion as providers really send them: every member may be missing, null or of another type. */
export interface ForeignChunk {
  id?: unknown;
  model?: unknown;
  object?: unknown;
  choices?: readonly ForeignChoice[] | null;
  usage?: unknown;
  error?: unknown;
}
interface ForeignChoice {
  delta?: ForeignMessage | null;
  message?: ForeignMessage | null;
  finish_reason?: unknown;
}
interface ForeignMessage {
  content?: unknown;
  refusal?: unknown;
  reasoning_content?: unknown;
  reasoning?: unknown;
  tool_calls?: readonly ForeignToolCall[] | null;
}
type ForeignPart = { text?: unknown; thinking?: unknown } | null;
export type ReasoningName = "reasoning_content" | "reasoning";

/** What one model call has said so far, as far as later chunks need it. */
export interface CallState extends ToolCalls {
  /** Whether the answer is to be JSON. */
  readonly isStructured: boolean;
  finishReason: FinishReason | undefined;
  usage: Usage | undefined;
  /** What the provider calls the model's reasoning. */
  reasoningName: ReasoningName | undefined;
  /** Whether anything a caller can see was said. */
  spoke: boolean;
  origin: AnswerOrigin | undefined;
}

/** What the provider calls an answer, and the model that gave it. */
export interface AnswerOrigin {
  readonly id?: string | undefined;
  readonly model?: string | undefined;
}

export function createCallState(isStructured = false): CallState {
  return {
    isStructured,
    finishReason: undefined,
    usage: undefined,
    reasoningName: undefined,
    spoke: false,
    origin: undefined,
    toolCalls: [],
    started: 0,
  };
}

/** Maps a parsed chunk (or a whole completion) to events. Changes `state`, touches nothing else. */
export function toEvents(chunk: ForeignChunk, state: CallState): AgentEvent[] {
  const events: AgentEvent[] = [];
  // Some providers send running totals on every chunk: the last one counts.
  state.usage = toUsage(chunk.usage) ?? state.usage;
  const choice = Array.isArray(chunk.choices) ? (chunk.choices[0] as ForeignChoice | undefined) : undefined;
  if (!choice) return events;
  const said = choice.delta ?? choice.message ?? {};
  const reasoning = said.reasoning_content || said.reasoning;
  if (typeof reasoning === "string" && reasoning !== "") {
    events.push({ type: "reasoning-delta", text: reasoning });
    state.reasoningName = reasoning === said.reasoning_content ? "reasoning_content" : "reasoning";
  }
  if (Array.isArray(said.content)) addParts(said.content, events);
  else if (typeof said.content === "string" && said.content !== "") {
    events.push({ type: "text-delta", text: said.content });
  }
  // A refusal is what the model says instead of an answer. Who asked for JSON must not take it for that; others may not
  // know the member, and still get its words.
  if (typeof said.refusal === "string" && said.refusal !== "") {
    events.push({ type: state.isStructured ? "refusal-delta" : "text-delta", text: said.refusal });
  }
  if (Array.isArray(said.tool_calls)) {
    said.tool_calls.forEach((call, position) => {
      if (typeof call === "object" && call !== null) addToolCall(call, position, state, events);
    });
  }
  if (events.length > 0) state.spoke = true;
  const finishReason = toFinishReason(choice.finish_reason);
  // Every chunk says it; once is enough.
  if (finishReason) state.origin = { id: toText(chunk.id), model: toText(chunk.model) };
  // Some give a second reason: an answer that was cut short stays so.
  if (finishReason && !isCutShort(state)) state.finishReason = finishReason;
  return events;
}

/** Mistral's reasoning models give content in parts: `text`, and `thinking` with parts of its own. */
function addParts(parts: readonly ForeignPart[], events: AgentEvent[]): void {
  for (const part of parts) {
    if (typeof part?.text === "string" && part.text !== "") events.push({ type: "text-delta", text: part.text });
    if (!Array.isArray(part?.thinking)) continue;
    for (const thought of part.thinking as readonly ForeignPart[]) {
      const text = thought?.text;
      if (typeof text === "string" && text !== "") events.push({ type: "reasoning-delta", text });
    }
  }
}

/** Whether the model began a call and never said of what, though nothing cut it short. */
export function hasNamelessCall(state: CallState): boolean {
  return state.started < state.toolCalls.length && !isCutShort(state);
}

function isCutShort({ finishReason }: CallState): boolean {
  return finishReason === "length" || finishReason === "content_filter";
}

/** @throws GatewayError 400 when a filter let nothing through: to the caller that is a refused request, no answer */
export function refuseFiltered({ finishReason, spoke }: CallState): void {
  if (finishReason !== "content_filter" || spoke) return;
  throw new GatewayError("content_filter", "The provider's content filter refused this request.", {
    param: "messages",
  });
}

/**
 * The closing events of a call that ended properly.
 * @param carry what the provider must hear again with this answer's calls; of no use without any
 */
export function toClosingEvents(state: CallState, carry?: Carry): AgentEvent[] {
  const events: AgentEvent[] = [];
  if (state.usage) events.push({ type: "usage", usage: state.usage });
  // Several servers say "stop" after tool calls, or nothing: a client that trusts it would never run them. Others say
  // "tool_calls" without one, and a client would have nothing to run.
  const whole = state.started > 0 ? "tool_calls" : "stop";
  const finishReason = isCutShort(state) ? state.finishReason : undefined;
  events.push({ type: "end", finishReason: finishReason ?? whole, ...(carry && state.started > 0 && { carry }) });
  return events;
}

function toText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function toFinishReason(reason: unknown): FinishReason | undefined {
  switch (reason) {
    case null:
    case undefined:
    case "":
      return undefined;
    case "length":
    case "max_tokens":
      return "length";
    case "tool_calls":
    case "function_call":
      return "tool_calls";
    case "content_filter":
      return "content_filter";
    default:
      return "stop";
  }
}

function toUsage(value: unknown): Usage | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { prompt_tokens, completion_tokens, prompt_tokens_details, completion_tokens_details } = value as Usage;
  if (typeof prompt_tokens !== "number" || typeof completion_tokens !== "number") return undefined;
  const usage: Usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
  const cached = prompt_tokens_details?.cached_tokens;
  if (typeof cached === "number") usage.prompt_tokens_details = { cached_tokens: cached };
  const reasoning = completion_tokens_details?.reasoning_tokens;
  if (typeof reasoning === "number") usage.completion_tokens_details = { reasoning_tokens: reasoning };
  return usage;
}
