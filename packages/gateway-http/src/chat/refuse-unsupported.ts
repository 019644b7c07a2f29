import type { ChatCompletionRequest } from "@openclaw/protocol";
import { GatewayError } from "../errors/gateway-error.ts";

/**
 * Refuses by name what OpenAI knows and this gateway does not serve: a caller who relies on it must not be answered as
 * if it had been honoured.
 */
export function refuseUnsupported(request: ChatCompletionRequest): void {
  if (request.n != null && request.n > 1) refuse("n", "only 1 choice is served");
  if (request.logprobs === true) refuse("logprobs");
  if (request.top_logprobs != null && request.top_logprobs > 0) refuse("top_logprobs");
  if (request.audio != null) refuse("audio");
  if (request.modalities?.some((modality) => modality !== "text")) refuse("modalities", "only text is answered");
  if (request.functions != null) refuse("functions", "use tools");
  if (request.function_call != null) refuse("function_call", "use tool_choice");
  if (request.stream_options != null && request.stream !== true) refuse("stream_options", "needs stream: true");
  request.messages.forEach(refuseMessage);
  refuseTools(request);
}

function refuseMessage(message: ChatCompletionRequest["messages"][number], index: number): void {
  if (message.role === "function") refuse(`messages[${index}].role`, "use the tool role");
  if (message.role === "assistant") {
    if (message.function_call != null) refuse(`messages[${index}].function_call`, "use tool_calls");
    if (message.audio != null) refuse(`messages[${index}].audio`);
    message.tool_calls?.forEach((call, position) => {
      if (call.type !== "function") refuse(`messages[${index}].tool_calls[${position}].type`);
    });
  }
}

function refuseTools({ tools, tool_choice }: ChatCompletionRequest): void {
  tools?.forEach((tool, index) => {
    if (tool.type !== "function") refuse(`tools[${index}].type`, "only function tools are served");
  });
  if (typeof tool_choice === "object" && tool_choice?.type === "function") {
    const { name } = tool_choice.function;
    if (!tools?.some((tool) => tool.type === "function" && tool.function.name === name)) {
      throw new GatewayError("invalid_value", "tool_choice: names a function that is not in tools.", {
        param: "tool_choice",
      });
    }
  } else if (typeof tool_choice === "object" && tool_choice !== null) {
    refuse("tool_choice.type", "only function is served");
  } else if (tool_choice === "required" && !tools?.length) {
    throw new GatewayError("invalid_value", "tool_choice: required needs tools.", { param: "tool_choice" });
  }
}

function refuse(param: string, hint?: string): never {
  throw new GatewayError("unsupported_parameter", `${param}: not supported${hint ? ` (${hint})` : ""}.`, { param });
}
