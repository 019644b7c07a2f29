export type {
  ChatMessage,
  HelloOk,
  SessionRow,
  SocketEventName,
  SocketEventPayload,
  SocketMethodName,
  SocketParams,
  SocketResult,
} from "@openclaw/protocol/socket";
export { RunError, SocketError } from "../errors.ts";
export type { SocketRequestOptions } from "./ask.ts";
export { textOf } from "./frames.ts";
export type { SocketClientInfo, SocketOptions, WebSocketClass } from "./options.ts";
export { createSocket } from "./socket.ts";
export type { Socket, SocketEvents } from "./socket-types.ts";
export type { RunResult, SendParams, SocketRun, SocketStatus, WatchedSession, WatchOptions } from "./types.ts";
