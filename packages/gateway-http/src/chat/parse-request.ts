import { type ChatCompletionRequest, chatCompletionRequestSchema } from "@openclaw/protocol";
import { GatewayError } from "../errors/gateway-error.ts";
import { checkSchema, isDeeperThan } from "./check-schema.ts";
import { refuseUnsupported } from "./refuse-unsupported.ts";
import { textOf } from "./turn.ts";
import { toValidationError } from "./validation-error.ts";

/** Deepest nesting of objects and arrays in a body. */
const MAX_DEPTH = 64;

/**
 * Checks the body of a chat completion, whoever sent it.
 * @throws GatewayError 400 that names the parameter
 */
export function parseChatRequest(body: unknown): ChatCompletionRequest {
  if (body === undefined) throw new GatewayError("invalid_json", "The body is empty.");
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new GatewayError("invalid_type", "The body must be a JSON object.");
  }
  if (isDeeperThan(body, MAX_DEPTH)) {
    throw new GatewayError("invalid_value", `The body is nested deeper than ${MAX_DEPTH} levels.`);
  }
  const parsed = chatCompletionRequestSchema.safeParse(body);
  if (!parsed.success) throw toValidationError(parsed.error);
  refuseUnsupported(parsed.data);
  const { response_format } = parsed.data;
  const schema = response_format?.type === "json_schema" ? response_format.json_schema.schema : undefined;
  if (schema != null) checkSchema(schema);
  if (!parsed.data.messages.some(isUsable)) {
    throw new GatewayError("missing_user_message", "messages: needs a user message with content, or a tool result.", {
      param: "messages",
    });
  }
  return parsed.data;
}

function isUsable(message: ChatCompletionRequest["messages"][number]): boolean {
  if (message.role === "tool") return true;
  if (message.role !== "user") return false;
  if (typeof message.content !== "string" && message.content.some((part) => part.type !== "text")) return true;
  return textOf(message.content).trim() !== "";
}
