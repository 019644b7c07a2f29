import type { ChatCompletion, ChatCompletionRequest, StoredCompletion, StoredMessage } from "@openclaw/protocol";
import type { KeptCompletion } from "./store.ts";

/** A completion and what its request said, as it is kept. Pure. */
export function toKept(
  completion: ChatCompletion,
  request: ChatCompletionRequest,
  about: { owner: string; requestId: string },
): KeptCompletion {
  const { metadata, user, tools, tool_choice, response_format, temperature, top_p, seed } = request;
  return {
    owner: about.owner,
    completion,
    metadata: metadata ?? null,
    request: {
      request_id: about.requestId,
      input_user: user ?? null,
      tools: tools ?? null,
      tool_choice: tool_choice ?? null,
      response_format: response_format ?? null,
      temperature: temperature ?? null,
      top_p: top_p ?? null,
      seed: seed ?? null,
    },
  };
}

/**
 * As it is shown. Pure.
 * @see https://platform.openai.com/docs/api-reference/chat/get
 */
export function toStoredCompletion({ completion, metadata, request }: KeptCompletion): StoredCompletion {
  return { ...completion, ...request, metadata } as StoredCompletion;
}

/**
 * The messages of its request. Pure.
 * @see https://platform.openai.com/docs/api-reference/chat/getMessages
 */
export function toStoredMessages(completionId: string, messages: readonly object[]): StoredMessage[] {
  return messages.map((message, index) => {
    const { content = null, name = null, ...rest } = message as StoredMessage & { content?: unknown };
    const parts = Array.isArray(content) ? content : null;
    return {
      ...rest,
      id: `${completionId}-${index}`,
      content: parts ? null : (content as string | null),
      name,
      content_parts: parts,
    };
  });
}
