import type {
  AssistantMessage,
  ChatCompletionRequest,
  FunctionTool,
  ResponseFormat,
  ToolMessage,
  UserMessage,
} from "@openclaw/protocol";

/**
 * What a provider must hear again with its model's calls, and nobody else understands: signatures of thoughts. JSON,
 * made and read by the adapter of this `api`.
 */
export interface Carry {
  readonly api: string;
  readonly data: unknown;
}

/** What the assistant said. Only where it called tools it has `reasoning_content`, what was thought before, or `carry`. */
export type AssistantTurnMessage = AssistantMessage & { carry?: Carry };

/**
 * A message that is part of the talk. Instructions (`system`, `developer`) are not: they belong to one request.
 */
export type TurnMessage = UserMessage | AssistantTurnMessage | ToolMessage;

/** How the model is to answer: OpenAI's own members, under their own names, absent where the caller gave none. */
export interface TurnParams {
  temperature?: number;
  top_p?: number;
  frequency_penalty?: number;
  presence_penalty?: number;
  seed?: number;
  stop?: string | string[];
  /** From `max_completion_tokens`, else `max_tokens`. */
  max_completion_tokens?: number;
  reasoning_effort?: string;
  response_format?: ResponseFormat;
  tools?: FunctionTool[];
  tool_choice?: NonNullable<ChatCompletionRequest["tool_choice"]>;
  parallel_tool_calls?: boolean;
}

/** What a caller said, whichever door it came through. */
export interface Turn {
  /** At least one; real roles, in order. */
  readonly messages: readonly TurnMessage[];
  /** The texts of the request's `system` and `developer` messages, in order. */
  readonly instructions: readonly string[];
  readonly params: TurnParams;
  /** Whether the caller reads the answer as it is written. An agent may do less work when nobody does. */
  readonly stream: boolean;
}

/** The plain text of a message's content, parts joined. */
export function textOf(content: TurnMessage["content"]): string {
  if (typeof content === "string") return content;
  if (content == null) return "";
  let text = "";
  for (const part of content) if (part.type === "text") text += part.text;
  return text;
}

/** A message that shares nothing with the one it was made from. */
export function copyMessage<M extends TurnMessage>(message: M): M {
  const isFlat = typeof message.content === "string" && !("tool_calls" in message);
  return isFlat ? { ...message } : structuredClone(message);
}
