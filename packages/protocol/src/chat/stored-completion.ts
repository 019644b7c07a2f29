import { z } from "zod";
import { chatCompletionSchema } from "./completion.ts";

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
});

export type StoredCompletion = z.infer<typeof storedCompletionSchema>;
export type StoredMessage = z.infer<typeof storedMessageSchema>;
