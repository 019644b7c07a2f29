import type { ReasoningName } from "./chunk-events.ts";
import type { ModelRequest } from "./model.ts";

export interface RequestBodyOptions {
  model: string;
  newTokenLimitName: boolean;
  /** What the provider calls the reasoning of its model; absent when it was never heard to have any. */
  reasoningName?: ReasoningName | undefined;
}

/**
 * The body of a call to an OpenAI-compatible provider. `messages` come last, so that what request N+1 sends begins
 * with what request N sent: providers find a cached prompt by its first bytes. Pure.
 *
 * `max_completion_tokens` is OpenAI's newer name; most compatible servers know only `max_tokens`, OpenAI's reasoning
 * models only the newer one.
 */
export function toRequestBody(request: ModelRequest, options: RequestBodyOptions): string {
  const { model, newTokenLimitName, reasoningName } = options;
  const { max_completion_tokens, messages: _, stream_options: __, ...params } = request.params;
  const head: Record<string, unknown> = { ...params, model, stream: request.stream };
  if (request.stream) head.stream_options = { include_usage: true };
  if (max_completion_tokens !== undefined) {
    delete head.max_tokens;
    head[newTokenLimitName ? "max_completion_tokens" : "max_tokens"] = max_completion_tokens;
  }
  const messages = request.messages.map((message) => withReasoning(message, reasoningName));
  return `${JSON.stringify(head).slice(0, -1)},"messages":${JSON.stringify(messages)}}`;
}

/** What was thought in a step, under the provider's own name for it. */
function withReasoning<M extends ModelRequest["messages"][number]>(message: M, name: ReasoningName | undefined) {
  if (message.role !== "assistant" || !("reasoning_content" in message || "carry" in message)) return message;
  const { reasoning_content, carry: _, ...rest } = message;
  return name && reasoning_content ? { ...rest, [name]: reasoning_content } : rest;
}
