// The half of this package that needs no zod: constants and small pure functions, for clients that count bytes.
export {
  AGENT_ID_PATTERN,
  type AgentTarget,
  isAgentId,
  MAX_MODEL_LENGTH,
  parseAgentTarget,
} from "./agent-target.ts";
export { ERRORS, type ErrorBody, type ErrorCode, type ErrorSpec, type ErrorType, isErrorCode } from "./error.ts";
export { HEADERS } from "./headers.ts";
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
