import type { Carry } from "../chat/turn.ts";
import type { ReasoningName } from "./chunk-events.ts";
import type { ModelRequest } from "./model.ts";

export interface RequestBodyOptions {
  model: string;
  newTokenLimitName: boolean;
  /** Whose carries are for this provider. */
  api: string;
}

/**
 * The body of a call to an OpenAI-compatible provider. `messages` come last, so that what request N+1 sends begins
 * with what request N sent: providers find a cached prompt by its first bytes. Pure.
 *
 * `max_completion_tokens` is OpenAI's newer name; most compatible servers know only `max_tokens`, OpenAI's reasoning
 * models only the newer one.
 */
export function toRequestBody(request: ModelRequest, options: RequestBodyOptions): string {
  const { model, newTokenLimitName, api } = options;
  const { max_completion_tokens, messages: _, stream_options: __, ...params } = request.params;
  const head: Record<string, unknown> = { ...params, model, stream: request.stream };
  if (request.stream) head.stream_options = { include_usage: true };
  if (max_completion_tokens !== undefined) {
    delete head.max_tokens;
    head[newTokenLimitName ? "max_completion_tokens" : "max_tokens"] = max_completion_tokens;
  }
  const messages = request.messages.map((message) => withThought(message, api));
  return `${JSON.stringify(head).slice(0, -1)},"messages":${JSON.stringify(messages)}}`;
}

/** What this provider calls the thoughts of its models, to be kept with them. */
export function toThoughtCarry(api: string, name: ReasoningName): Carry {
  return { api, data: name };
}

/**
 * A message with what was thought in it under the provider's own name. Thoughts of another provider's model are left
 * out: some refuse the member. Without a carry they came from the client, which knows what it does.
 */
function withThought<M extends ModelRequest["messages"][number]>(message: M, api: string) {
  if (message.role !== "assistant" || !("reasoning_content" in message || "carry" in message)) return message;
  const { reasoning_content, carry, ...rest } = message;
  if (!reasoning_content || (carry && carry.api !== api)) return rest;
  return { ...rest, [carry?.data === "reasoning" ? "reasoning" : "reasoning_content"]: reasoning_content };
}
