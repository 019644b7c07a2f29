import { z } from "zod";
import { chatCompletionSchema } from "./completion.ts";
import { toolCallSchema } from "./message.ts";

/**
 * A completion that was kept because its request said `store: true`.
 * @see https://platform.openai.com/docs/api-reference/chat/get
 */
export const storedCompletionSchema = chatCompletionSchema.extend({
  metadata: z.record(z.string(), z.string()).nullable(),
  request_id: z.string(),
  input_user: z.string().nullable(),
  tools: z.array(z.unknown()).nullable(),
  tool_choice: z.unknown(),
  response_format: z.unknown(),
  temperature: z.number().nullable(),
  top_p: z.number().nullable(),
  seed: z.number().nullable(),
});

/** A message of a stored completion's request. */
export const storedMessageSchema = z.looseObject({
  /** `<completion id>-<n>`. */
  id: z.string(),
  role: z.string(),
  content: z.string().nullable(),
  name: z.string().nullable(),
  /** Set in place of `content` when the message was made of parts. */
  content_parts: z.array(z.unknown()).nullable(),
  /** What else the request said of an assistant's message, or of a tool's result. */
  refusal: z.string().nullable().exactOptional(),
  tool_calls: z.array(toolCallSchema).nullable().exactOptional(),
  tool_call_id: z.string().exactOptional(),
  reasoning_content: z.string().nullable().exactOptional(),
  reasoning: z.string().nullable().exactOptional(),
  audio: z.null().exactOptional(),
  function_call: z.null().exactOptional(),
});

/** What `DELETE` of a stored completion answers. */
export const deletedCompletionSchema = z.looseObject({
  object: z.literal("chat.completion.deleted"),
  id: z.string(),
  deleted: z.literal(true),
});

/** What `POST …/cancel` answers. */
export const cancelledCompletionSchema = z.looseObject({
  id: z.string(),
  /** `false` when the run had ended already. */
  cancelled: z.boolean(),
});

export type StoredCompletion = z.infer<typeof storedCompletionSchema>;
export type StoredMessage = z.infer<typeof storedMessageSchema>;
