import { z } from "zod";

/**
 * An agent, listed as a model.
 * @see https://platform.openai.com/docs/api-reference/models/object
 */
export const modelSchema = z.looseObject({
  /** `openclaw`, `openclaw/default` or `openclaw/<agent id>`. */
  id: z.string(),
  object: z.literal("model"),
  /** Unix time in seconds: when the configuration last changed. */
  created: z.int(),
  owned_by: z.string(),
  name: z.string().optional(),
  description: z.string().optional(),
  /** Tokens. */
  context_window: z.number().optional(),
  /** What messages may be made of: `text`, `image`, `audio`, `file`. */
  input: z.array(z.string()).optional(),
});

export const modelListSchema = z.looseObject({ object: z.literal("list"), data: z.array(modelSchema) });

export type Model = z.infer<typeof modelSchema>;
export type ModelList = z.infer<typeof modelListSchema>;
