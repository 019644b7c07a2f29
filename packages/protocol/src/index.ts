// Request

// Wire: also at "@openclaw/protocol/wire", without zod
export {
  AGENT_ID_PATTERN,
  type AgentTarget,
  isAgentId,
  MAX_MODEL_LENGTH,
  parseAgentTarget,
} from "./agent-target.ts";
export {
  type ChatCompletionChunk,
  chatCompletionChunkSchema,
  type ToolCallDelta,
  toolCallDeltaSchema,
} from "./chat/chunk.ts";
// Answer
export {
  type ChatCompletion,
  chatCompletionSchema,
  type FinishReason,
  finishReasonSchema,
  type Usage,
  usageSchema,
} from "./chat/completion.ts";
export { listElements } from "./chat/list.ts";
export {
  type AssistantMessage,
  type ImagePart,
  type Message,
  messageSchema,
  type SystemMessage,
  type TextPart,
  type ToolCall,
  type ToolMessage,
  toolCallSchema,
  type UserMessage,
  type UserPart,
} from "./chat/message.ts";
export {
  type ChatCompletionRequest,
  type ChatCompletionRequestInput,
  chatCompletionRequestSchema,
  MAX_MESSAGES,
  MAX_TOOLS,
  type Metadata,
  metadataSchema,
  type ResponseFormat,
  responseFormatSchema,
} from "./chat/request.ts";
export {
  cancelledCompletionSchema,
  deletedCompletionSchema,
  type StoredCompletion,
  type StoredMessage,
  storedCompletionSchema,
  storedMessageSchema,
} from "./chat/stored-completion.ts";
export { type FunctionTool, type Tool, type ToolChoice, toolChoiceSchema, toolSchema } from "./chat/tool.ts";
export { ERRORS, type ErrorBody, type ErrorCode, type ErrorSpec, type ErrorType, isErrorCode } from "./error.ts";
export { errorBodySchema } from "./error-body.ts";
export { type GatewayStatus, gatewayStatusSchema } from "./gateway-status.ts";
export { HEADERS } from "./headers.ts";
export { healthSchema, readySchema } from "./health.ts";
export { type ListPage, type ListParams, listPageSchema } from "./list-page.ts";
export { type Model, type ModelList, modelListSchema, modelSchema } from "./models.ts";
// Run
export { type AgentActivity, agentActivitySchema, type RunEvent, runEventSchema } from "./run-event.ts";
// Sessions
export {
  abortedSessionSchema,
  deletedSessionSchema,
  type Session,
  type SessionBranch,
  type SessionMessage,
  sessionBranchSchema,
  sessionMessageSchema,
  sessionSchema,
} from "./session.ts";
export {
  CONNECT_ERRORS,
  SOCKET_CLOSE,
  SOCKET_LIMITS,
  SOCKET_PROTOCOL,
  SOCKET_SCOPES,
  type SocketErrorCode,
  type SocketScope,
} from "./socket/constants.ts";
export { SSE_CONTENT_TYPE, SSE_DONE, SSE_DONE_FRAME, SSE_KEEP_ALIVE_FRAME } from "./sse.ts";
