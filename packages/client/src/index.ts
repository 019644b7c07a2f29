export type { ErrorCode } from "@openclaw/protocol/wire";
export type { ChatStream } from "./chat/chat-stream.ts";
export type { ChatCompletions, CompletionListParams } from "./chat/completions.ts";
export type { ChatCompletionParams, ChatOptions } from "./chat/create.ts";
export type { ResumeInfo } from "./chat/read-on.ts";
export type { StreamEvents } from "./chat/stream-events.ts";
export { type Client, createClient } from "./client.ts";
export {
  AbortError,
  APIError,
  ConnectionError,
  isOpenClawError,
  OpenClawError,
  type PartialCompletion,
  StreamTruncatedError,
  TimeoutError,
} from "./errors.ts";
export type { Models } from "./models.ts";
export type { ClientOptions, Fetch, Middleware, RequestOptions } from "./options.ts";
export type { ResponsePromise } from "./request.ts";
export type { Deleted, SessionListParams, SessionMessagesParams, Sessions } from "./sessions.ts";
export type {
  AgentActivity,
  ChatCompletion,
  ChatCompletionChunk,
  ListPage,
  ListParams,
  Message,
  Model,
  ModelList,
  Session,
  SessionBranch,
  SessionMessage,
  StoredCompletion,
  StoredMessage,
  ToolCall,
  Usage,
} from "./types.ts";
