import { z } from "zod";
import { toolCallSchema } from "./message.ts";

export const finishReasonSchema = z.enum(["stop", "length", "tool_calls", "content_filter"]);

/** Tokens of one model call or of a whole run. Cache reads and writes count in `prompt_tokens`. */
export const usageSchema = z.looseObject({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
  prompt_tokens_details: z.looseObject({ cached_tokens: z.number().exactOptional() }).exactOptional(),
  completion_tokens_details: z.looseObject({ reasoning_tokens: z.number().exactOptional() }).exactOptional(),
  /** How many model calls the sums above are made of, and the last one's figures. */
  openclaw: z
    .looseObject({
      calls: z.number(),
      last: z.looseObject({ prompt_tokens: z.number(), completion_tokens: z.number() }),
    })
    .exactOptional(),
});

/**
 * An answer that was not streamed.
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
export const chatCompletionSchema = z.looseObject({
  id: z.string(),
  object: z.literal("chat.completion"),
  /** Unix time in seconds. */
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      message: z.looseObject({
        role: z.literal("assistant"),
        content: z.string().nullable(),
        refusal: z.string().nullable(),
        tool_calls: z.array(toolCallSchema).exactOptional(),
        /** Only where the agent exposes its reasoning under this name. */
        reasoning_content: z.string().exactOptional(),
        /** Only where the agent exposes its reasoning under this name. */
        reasoning: z.string().exactOptional(),
      }),
      logprobs: z.null(),
      finish_reason: finishReasonSchema,
    }),
  ),
  /** Absent when no model call reported any. */
  usage: usageSchema.exactOptional(),
  /** Which model answered, `provider/model`, where the agent is one: of several, the last. */
  openclaw: z.looseObject({ model: z.string() }).exactOptional(),
});

export type FinishReason = z.infer<typeof finishReasonSchema>;
export type Usage = z.infer<typeof usageSchema>;
export type ChatCompletion = z.infer<typeof chatCompletionSchema>;
