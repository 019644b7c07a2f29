import type {
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import type { FinishReason, Usage } from "@openclaw/protocol";
import type { AgentEvent } from "../../chat/run-event.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type CallState, createCallState, refuseFiltered, toClosingEvents } from "../chunk-events.ts";
import { addToolCall } from "../tool-calls.ts";
import { type CarryBuilder, createCarryBuilder } from "./carry.ts";

/** What one call has said so far. */
export interface ReadState extends CallState {
  /** By the library's id: the place of a call among the calls, and whether anything of its arguments was told. */
  readonly calls: Map<string, { index: number; told: boolean }>;
  readonly carry: CarryBuilder;
  /** How many pieces came whole. */
  whole: number;
  /** Whether the library said that the answer is over. */
  finished: boolean;
}

export function createReadState(key: string): ReadState {
  return { ...createCallState(), calls: new Map(), carry: createCarryBuilder(key), whole: 0, finished: false };
}

/** Maps a part to events. Changes `state`, touches nothing else. */
export function readPart(
  part: LanguageModelV4StreamPart | LanguageModelV4Content,
  state: ReadState,
  events: AgentEvent[],
): void {
  switch (part.type) {
    case "text-delta":
    case "reasoning-delta": {
      const { type, delta, providerMetadata } = part;
      state.carry.add(type === "text-delta" ? "text" : "reasoning", part.id, { text: delta, meta: providerMetadata });
      say(type, delta, state, events);
      break;
    }
    case "text-start":
    case "text-end":
      state.carry.add("text", part.id, { meta: part.providerMetadata });
      break;
    case "reasoning-start":
    case "reasoning-end":
      state.carry.add("reasoning", part.id, { meta: part.providerMetadata });
      break;
    // Of an answer that came whole.
    case "text":
    case "reasoning":
      state.carry.add(part.type, String(state.whole++), { text: part.text, meta: part.providerMetadata });
      say(`${part.type}-delta`, part.text, state, events);
      break;
    case "tool-input-start":
      if (part.providerExecuted) break;
      state.carry.addCall(part.id, part.providerMetadata);
      begin(part.id, part.toolName, state, events);
      break;
    case "tool-input-delta":
      goOn(part.id, part.delta, state, events);
      break;
    case "tool-call":
      if (part.providerExecuted) break;
      state.carry.addCall(part.toolCallId, part.providerMetadata);
      begin(part.toolCallId, part.toolName, state, events);
      // Arguments are told as they are written, where they are.
      if (!state.calls.get(part.toolCallId)?.told) goOn(part.toolCallId, part.input, state, events);
      break;
    case "response-metadata":
      state.origin = { id: part.id, model: part.modelId };
      break;
    case "finish":
      finish(part.finishReason, part.usage, state);
  }
}

/** Reads why the answer ended and what it cost. */
export function finish(reason: LanguageModelV4FinishReason, usage: LanguageModelV4Usage, state: ReadState): void {
  const { unified, raw } = reason;
  // Without a reason of the provider's own the stream ended before the answer did.
  if (unified === "interrupted" || (unified === "other" && raw === undefined)) {
    throw new GatewayError("provider_bad_response", "The provider's stream ended before the answer did.");
  }
  if (unified === "error") throw new GatewayError("provider_bad_response", "The provider's model failed to answer.");
  state.finished = true;
  state.finishReason = REASONS[unified] ?? "stop";
  state.usage = toUsage(usage) ?? state.usage;
}

const REASONS: Readonly<Record<string, FinishReason>> = {
  length: "length",
  "content-filter": "content_filter",
  "tool-calls": "tool_calls",
};

/** The closing events of an answer that ended properly. */
export function closing(state: ReadState, api: string): AgentEvent[] {
  refuseFiltered(state);
  const data = state.carry.build();
  return toClosingEvents(state, data && { api, data });
}

/** Text that came together leaves as one delta. */
function say(type: "text-delta" | "reasoning-delta", text: string, state: ReadState, events: AgentEvent[]): void {
  if (text === "") return;
  state.spoke = true;
  const last = events.at(-1);
  if (last?.type === type) last.text += text;
  else events.push({ type, text });
}

function begin(id: string, name: string, state: ReadState, events: AgentEvent[]): void {
  if (state.calls.has(id)) return;
  const index = state.calls.size;
  state.calls.set(id, { index, told: false });
  state.spoke = true;
  addToolCall({ index, id, function: { name } }, index, state, events);
}

function goOn(id: string, args: string, state: ReadState, events: AgentEvent[]): void {
  const call = state.calls.get(id);
  if (!call || args === "") return;
  call.told = true;
  addToolCall({ index: call.index, function: { arguments: args } }, call.index, state, events);
}

/**
 * Cache reads and writes are in the total already. The libraries give zero for what a provider did not say, and pass on
 * what it cannot mean.
 */
function toUsage({ inputTokens, outputTokens }: LanguageModelV4Usage): Usage | undefined {
  const { total: prompt_tokens = 0, cacheRead } = inputTokens;
  const { total: completion_tokens = 0, reasoning } = outputTokens;
  if (prompt_tokens === 0 && completion_tokens === 0) return undefined;
  if ([prompt_tokens, completion_tokens, cacheRead ?? 0, reasoning ?? 0].some((count) => count < 0)) return undefined;
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    ...(cacheRead && { prompt_tokens_details: { cached_tokens: cacheRead } }),
    ...(reasoning && { completion_tokens_details: { reasoning_tokens: reasoning } }),
  };
}
