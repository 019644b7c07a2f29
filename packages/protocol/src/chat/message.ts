import { z } from "zod";
import { listOf } from "./list.ts";

/** A part of plain text. */
const textPartSchema = z.object({ type: z.literal("text"), text: z.string() });

/** A picture: `url` is an `https:` or a `data:` URL. */
const imagePartSchema = z.object({
  type: z.literal("image_url"),
  image_url: z.object({ url: z.string(), detail: z.enum(["auto", "low", "high", "original"]).nullish() }),
});

/** Sound, base64. */
const audioPartSchema = z.object({
  type: z.literal("input_audio"),
  input_audio: z.object({ data: z.string(), format: z.string() }),
});

/** A file, by id or inline as a `data:` URL. */
const filePartSchema = z.object({
  type: z.literal("file"),
  file: z.object({ file_data: z.string().nullish(), file_id: z.string().nullish(), filename: z.string().nullish() }),
});

/** A model's refusal, as a part of an assistant message that is sent back. */
const refusalPartSchema = z.object({ type: z.literal("refusal"), refusal: z.string() });

const userPartSchema = z.discriminatedUnion("type", [textPartSchema, imagePartSchema, audioPartSchema, filePartSchema]);

/** A function call the model made. `arguments` is JSON as the model wrote it, which may be broken. */
export const toolCallSchema = z.object({
  id: z.string().min(1),
  type: z.literal("function"),
  function: z.object({ name: z.string().min(1), arguments: z.string() }),
});

/** A call of a custom (free-text) tool: known to OpenAI, not served here. */
const customToolCallSchema = z.object({
  id: z.string().min(1),
  type: z.literal("custom"),
  custom: z.object({ name: z.string(), input: z.string() }),
});

const textContent = z.union([z.string(), listOf(textPartSchema)]);

const systemMessageSchema = z.object({
  role: z.literal("system"),
  content: textContent,
  name: z.string().nullish(),
});

/** The newer name of `system`. */
const developerMessageSchema = z.object({
  role: z.literal("developer"),
  content: textContent,
  name: z.string().nullish(),
});

const userMessageSchema = z.object({
  role: z.literal("user"),
  content: z.union([z.string(), listOf(userPartSchema)]),
  name: z.string().nullish(),
});

const assistantMessageSchema = z.object({
  role: z.literal("assistant"),
  content: z.union([z.string(), listOf(z.discriminatedUnion("type", [textPartSchema, refusalPartSchema]))]).nullish(),
  name: z.string().nullish(),
  refusal: z.string().nullish(),
  tool_calls: listOf(z.discriminatedUnion("type", [toolCallSchema, customToolCallSchema])).nullish(),
  // What it thought, as it was answered: SDKs send it back, and some models refuse a tool's result without it.
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  // Known, not served: parsed so that they can be refused by name. SDKs that echo an answer send them as `null`.
  audio: z.unknown().optional(),
  function_call: z.unknown().optional(),
});

/** The result of a tool call, sent by the client that ran it. */
const toolMessageSchema = z.object({
  role: z.literal("tool"),
  content: textContent,
  tool_call_id: z.string().min(1),
});

/** Deprecated by OpenAI in favour of `tool`; parsed so that it can be refused by name. */
const functionMessageSchema = z.object({
  role: z.literal("function"),
  content: z.string().nullable(),
  name: z.string(),
});

/**
 * A message of a request.
 * @see https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages
 */
export const messageSchema = z.discriminatedUnion("role", [
  systemMessageSchema,
  developerMessageSchema,
  userMessageSchema,
  assistantMessageSchema,
  toolMessageSchema,
  functionMessageSchema,
]);

export type TextPart = z.infer<typeof textPartSchema>;
export type ImagePart = z.infer<typeof imagePartSchema>;
export type UserPart = z.infer<typeof userPartSchema>;
export type ToolCall = z.infer<typeof toolCallSchema>;
export type Message = z.infer<typeof messageSchema>;
export type SystemMessage = z.infer<typeof systemMessageSchema> | z.infer<typeof developerMessageSchema>;
export type UserMessage = z.infer<typeof userMessageSchema>;
export type AssistantMessage = z.infer<typeof assistantMessageSchema>;
export type ToolMessage = z.infer<typeof toolMessageSchema>;
