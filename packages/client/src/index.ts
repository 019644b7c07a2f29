export type { ChatCompletion, ChatCompletionChunk, Message, ModelList } from "@openclaw/protocol";
export type { ErrorCode } from "@openclaw/protocol/wire";
export type { ChatStream } from "./chat/chat-stream.ts";
export type { ChatCompletionParams, ChatOptions } from "./chat/create.ts";
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
export type { ClientOptions, RequestOptions } from "./options.ts";
