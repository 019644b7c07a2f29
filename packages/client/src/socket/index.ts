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
export type { SocketStatus } from "./link.ts";
export type { SocketClientInfo, SocketOptions, WebSocketClass } from "./options.ts";
export type { RunResult, SendParams, SocketRun } from "./run.ts";
export { createSocket, type Socket, type SocketEvents } from "./socket.ts";
export type { WatchedSession, WatchOptions } from "./watch.ts";
