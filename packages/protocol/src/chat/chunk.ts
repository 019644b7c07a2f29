import { z } from "zod";
import { agentActivitySchema } from "../run-event.ts";
import { finishReasonSchema, usageSchema } from "./completion.ts";

/** A piece of a tool call. The first piece of an `index` carries `id` and `name`, later ones only `arguments`. */
export const toolCallDeltaSchema = z.looseObject({
  index: z.int(),
  id: z.string().exactOptional(),
  type: z.literal("function").exactOptional(),
  function: z.looseObject({ name: z.string().exactOptional(), arguments: z.string().exactOptional() }).exactOptional(),
});

/**
 * An event of a streamed answer.
 * @see https://platform.openai.com/docs/api-reference/chat-streaming
 */
export const chatCompletionChunkSchema = z.looseObject({
  id: z.string(),
  object: z.literal("chat.completion.chunk"),
  /** Unix time in seconds, the same on every chunk. */
  created: z.int(),
  model: z.string(),
  /** Empty on the usage chunk. */
  choices: z.array(
    z.looseObject({
      index: z.int(),
      delta: z.looseObject({
        role: z.literal("assistant").exactOptional(),
        content: z.string().nullable().exactOptional(),
        refusal: z.string().nullable().exactOptional(),
        tool_calls: z.array(toolCallDeltaSchema).exactOptional(),
        reasoning_content: z.string().exactOptional(),
        reasoning: z.string().exactOptional(),
      }),
      finish_reason: finishReasonSchema.nullable(),
    }),
  ),
  /** With `stream_options.include_usage`: `null` on every chunk but the last. */
  usage: usageSchema.nullable().exactOptional(),
  /** The agent's own activity, with `x-openclaw-events: 1`, on a chunk whose delta is empty. */
  openclaw: agentActivitySchema.exactOptional(),
});

export type ToolCallDelta = z.infer<typeof toolCallDeltaSchema>;
export type ChatCompletionChunk = z.infer<typeof chatCompletionChunkSchema>;
