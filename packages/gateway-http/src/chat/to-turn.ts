import type {
  AssistantMessage,
  ChatCompletionRequest,
  FunctionTool,
  Message,
  ResponseFormat,
  ToolCall,
} from "@openclaw/protocol";
import { type Turn, type TurnMessage, type TurnParams, textOf } from "./turn.ts";

/**
 * What a checked request says, without its HTTP. Pure.
 * @param said its messages, as they were taken in
 */
export function toTurn(request: ChatCompletionRequest, said: readonly Message[] = request.messages): Turn {
  const messages: TurnMessage[] = [];
  const instructions: string[] = [];
  for (const message of said) {
    if (message.role === "system" || message.role === "developer") instructions.push(textOf(message.content));
    else if (message.role !== "function") messages.push(withoutNulls(message));
  }
  return { messages, instructions, params: toParams(request), stream: request.stream === true };
}

/** `null` means absent; providers are stricter than OpenAI about it. Only assistant messages need their `content`. */
function withoutNulls(message: TurnMessage): TurnMessage {
  if (message.role !== "assistant") return message.role === "user" && message.name == null ? bare(message) : message;
  const result: AssistantMessage = { role: "assistant", content: message.content ?? null };
  if (message.name != null) result.name = message.name;
  if (message.refusal != null) result.refusal = message.refusal;
  if (message.tool_calls?.length) {
    result.tool_calls = message.tool_calls as ToolCall[];
    // Only with a step that goes on is it heard again.
    const thought = message.reasoning_content || message.reasoning;
    if (thought) result.reasoning_content = thought;
  }
  return result;
}

function bare(message: Extract<TurnMessage, { role: "user" }>): TurnMessage {
  return { role: "user", content: message.content };
}

function toParams(request: ChatCompletionRequest): TurnParams {
  const params: TurnParams = {};
  const maxTokens = request.max_completion_tokens ?? request.max_tokens;
  if (request.temperature != null) params.temperature = request.temperature;
  if (request.top_p != null) params.top_p = request.top_p;
  if (request.frequency_penalty != null) params.frequency_penalty = request.frequency_penalty;
  if (request.presence_penalty != null) params.presence_penalty = request.presence_penalty;
  if (request.seed != null) params.seed = request.seed;
  if (request.stop?.length) params.stop = request.stop;
  if (maxTokens != null) params.max_completion_tokens = maxTokens;
  if (request.reasoning_effort != null) params.reasoning_effort = request.reasoning_effort;
  if (request.response_format != null) params.response_format = bareFormat(request.response_format);
  if (request.tools?.length) {
    params.tools = (request.tools as FunctionTool[]).map(bareTool);
    if (request.tool_choice != null) params.tool_choice = request.tool_choice;
    if (request.parallel_tool_calls != null) params.parallel_tool_calls = request.parallel_tool_calls;
  }
  return params;
}

/** Only the members' own nulls: those inside a JSON schema mean something. */
function bareTool({ type, function: { name, description, parameters, strict } }: FunctionTool): FunctionTool {
  return {
    type,
    function: {
      name,
      ...(description != null && { description }),
      ...(parameters != null && { parameters }),
      ...(strict != null && { strict }),
    },
  };
}

function bareFormat(format: ResponseFormat): ResponseFormat {
  if (format.type !== "json_schema") return format;
  const { name, description, schema, strict } = format.json_schema;
  return {
    type: format.type,
    json_schema: {
      name,
      ...(description != null && { description }),
      ...(schema != null && { schema }),
      ...(strict != null && { strict }),
    },
  };
}
