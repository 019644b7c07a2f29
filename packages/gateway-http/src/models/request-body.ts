import type { ModelRequest } from "./model.ts";

/**
 * The body of a call to an OpenAI-compatible provider. `messages` come last, so that what request N+1 sends begins
 * with what request N sent: providers find a cached prompt by its first bytes. Pure.
 *
 * `max_completion_tokens` is OpenAI's newer name; most compatible servers know only `max_tokens`, OpenAI's reasoning
 * models only the newer one.
 */
export function toRequestBody(request: ModelRequest, model: string, newTokenLimitName: boolean): string {
  const { max_completion_tokens, messages: _, stream_options: __, ...params } = request.params;
  const head: Record<string, unknown> = { ...params, model, stream: request.stream };
  if (request.stream) head.stream_options = { include_usage: true };
  if (max_completion_tokens !== undefined) {
    delete head.max_tokens;
    head[newTokenLimitName ? "max_completion_tokens" : "max_tokens"] = max_completion_tokens;
  }
  return `${JSON.stringify(head).slice(0, -1)},"messages":${JSON.stringify(request.messages)}}`;
}
