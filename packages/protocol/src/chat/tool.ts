import { z } from "zod";

/** A function of the client's that the model may call. `parameters` is a JSON Schema. */
const functionToolSchema = z.object({
  type: z.literal("function"),
  function: z.object({
    name: z.string().regex(/^[\w-]{1,64}$/, "must be 1 to 64 of a-z, A-Z, 0-9, _ and -"),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
});

/** A custom (free-text) tool: known to OpenAI, parsed so that it can be refused by name. */
const customToolSchema = z.object({ type: z.literal("custom"), custom: z.object({ name: z.string() }) });

export const toolSchema = z.discriminatedUnion("type", [functionToolSchema, customToolSchema]);

/** `auto`, `none`, `required`, or one function by name. The other object forms are known but not served. */
export const toolChoiceSchema = z.union([
  z.enum(["auto", "none", "required"]),
  z.discriminatedUnion("type", [
    z.object({ type: z.literal("function"), function: z.object({ name: z.string().min(1) }) }),
    z.object({ type: z.literal("custom") }),
    z.object({ type: z.literal("allowed_tools") }),
  ]),
]);

export type FunctionTool = z.infer<typeof functionToolSchema>;
export type Tool = z.infer<typeof toolSchema>;
export type ToolChoice = z.infer<typeof toolChoiceSchema>;
