import { z } from "zod";
import { MAX_MODEL_LENGTH } from "../agent-target.ts";
import { listOf } from "./list.ts";
import { messageSchema } from "./message.ts";
import { toolChoiceSchema, toolSchema } from "./tool.ts";

/** Most messages in one request. */
export const MAX_MESSAGES = 2048;
/** Most tools in one request. */
export const MAX_TOOLS = 128;

export const responseFormatSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    json_schema: z.object({
      name: z.string().min(1).max(64),
      description: z.string().nullish(),
      schema: z.record(z.string(), z.unknown()).nullish(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

/** Most pairs in `metadata`. */
const MAX_METADATA = 16;

/** The pairs are counted before any is looked at: there may be millions, and zod keeps an issue for every bad one. */
export const metadataSchema = z.preprocess(
  (input, context) => {
    if (typeof input !== "object" || input === null || Object.keys(input).length <= MAX_METADATA) return input;
    context.addIssue(`must have at most ${MAX_METADATA} pairs`);
    return z.NEVER;
  },
  z.record(z.string().max(64), z.string().max(512)),
) as unknown as z.ZodType<Record<string, string>, Record<string, string>>;

const stopSequence = z.string().min(1);

/** Counted outside the union, which would report five sequences as a value of no known type. */
const stopSchema = z
  .union([stopSequence, listOf(stopSequence)])
  .refine((stop) => typeof stop === "string" || stop.length <= 4, "must have at most 4 sequences");

/**
 * The body of `POST /v1/chat/completions`. Unknown members are dropped. `null` is let through for every optional
 * one and means absent, as do `tools: []` and `stop: []`.
 *
 * The members at the end are known to OpenAI and not served here: they are parsed only so that a gateway can refuse
 * them by name instead of silently ignoring what the caller relies on.
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
export const chatCompletionRequestSchema = z.object({
  messages: z.array(messageSchema).max(MAX_MESSAGES),
  model: z.string().trim().max(MAX_MODEL_LENGTH).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  user: z.string().nullish(),
  tools: z.array(toolSchema).max(MAX_TOOLS).nullish(),
  tool_choice: toolChoiceSchema.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: responseFormatSchema.nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  seed: z.int().nullish(),
  stop: stopSchema.nullish(),
  max_completion_tokens: z.int().positive().nullish(),
  max_tokens: z.int().positive().nullish(),
  reasoning_effort: z.string().nullish(),
  metadata: metadataSchema.nullish(),
  store: z.boolean().nullish(),
  // Known, not served (of `n`, only 1 is):
  n: z.int().positive().nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().nullish(),
  modalities: listOf(z.string()).nullish(),
  audio: z.unknown().optional(),
  functions: z.unknown().optional(),
  function_call: z.unknown().optional(),
});

/** What a client may send: optional members may be absent or `null`. */
export type ChatCompletionRequestInput = z.input<typeof chatCompletionRequestSchema>;
/** A request that was parsed. */
export type ChatCompletionRequest = z.output<typeof chatCompletionRequestSchema>;
export type ResponseFormat = z.infer<typeof responseFormatSchema>;
export type Metadata = z.infer<typeof metadataSchema>;
