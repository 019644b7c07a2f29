import {
  chatCompletionRequestSchema,
  MAX_MESSAGES,
  MAX_TOOLS,
  messageSchema,
  toolCallSchema,
  toolChoiceSchema,
  toolSchema,
} from "@openclaw/protocol";
import { z } from "zod";
import type { NamedSchemas } from "./json-schemas.ts";

const [system, developer, user, assistant, tool] = messageSchema.options;
const [functionTool] = toolSchema.options;
const [toolChoiceWord, toolChoiceObject] = toolChoiceSchema.options;

/** Refused by name where it is set, so only its absence is served. */
const refused = z.null().optional();

const assistantMessage = assistant.extend({
  tool_calls: z.array(toolCallSchema).nullish(),
  audio: refused,
  function_call: refused,
});

/** Of a request, or of a stored completion. */
export const metadata = z.record(z.string().max(64), z.string().max(512)).meta({ maxProperties: 16 });

const message = z.discriminatedUnion("role", [system, developer, user, assistantMessage, tool]);

/**
 * What a chat request may say and is served: the protocol's schema without what is parsed only to be refused by name
 * (`chat/refuse-unsupported.ts`).
 */
const request = chatCompletionRequestSchema
  .extend({
    messages: z
      .array(message)
      .max(MAX_MESSAGES)
      .meta({ contains: { properties: { role: { enum: ["user", "tool"] } } } }),
    tools: z.array(functionTool).max(MAX_TOOLS).nullish(),
    tool_choice: z.union([toolChoiceWord, toolChoiceObject.options[0]]).nullish(),
    stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(4)]).nullish(),
    metadata: metadata.nullish(),
    n: z.literal(1).nullish(),
    logprobs: z.literal(false).nullish(),
    top_logprobs: z.int().max(0).nullish(),
    modalities: z.array(z.literal("text")).nullish(),
    audio: refused,
    functions: refused,
    function_call: refused,
  })
  .meta({
    if: { properties: { stream_options: { type: "object" } }, required: ["stream_options"] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: { properties: { stream: { const: true } }, required: ["stream"] },
  });

/** The shapes of a chat request. */
export const REQUEST_SCHEMAS: NamedSchemas = {
  ChatCompletionRequest: request,
  Message: message,
  SystemMessage: system,
  DeveloperMessage: developer,
  UserMessage: user,
  AssistantMessage: assistantMessage,
  ToolMessage: tool,
  ToolCall: toolCallSchema,
  FunctionTool: functionTool,
};
