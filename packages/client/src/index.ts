export type {
  AgentActivity,
  ChatCompletion,
  ChatCompletionChunk,
  ListPage,
  ListParams,
  Message,
  ModelList,
  Session,
  SessionBranch,
  SessionMessage,
  StoredCompletion,
  StoredMessage,
} from "@openclaw/protocol";
export type { ErrorCode } from "@openclaw/protocol/wire";
export type { ChatStream } from "./chat/chat-stream.ts";
export type { CompletionListParams } from "./chat/completions.ts";
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
  StreamTruncatedError,
  TimeoutError,
} from "./errors.ts";
export type { ClientOptions, Fetch, Middleware, RequestOptions } from "./options.ts";
export type { ResponsePromise } from "./request.ts";
export type { Deleted, SessionListParams, SessionMessagesParams } from "./sessions.ts";
