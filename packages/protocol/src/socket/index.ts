// The Gateway protocol: frames, methods and events of the WebSocket.
export { type ChatMessage, chatMessageSchema } from "./chat.ts";
export {
  type ConnectParams,
  type ConnectParamsInput,
  connectParamsSchema,
  type DeviceProof,
  type HelloOk,
  helloOkSchema,
} from "./connect.ts";
export { SOCKET_EVENTS, type SocketEventName, type SocketEventPayload } from "./events.ts";
export {
  type EventFrame,
  eventFrameSchema,
  type RequestFrame,
  type ResponseFrame,
  requestFrameSchema,
  responseFrameSchema,
  type SocketErrorBody,
} from "./frames.ts";
export { SOCKET_METHODS, type SocketMethodName, type SocketParams, type SocketResult } from "./methods.ts";
export type { SessionRow } from "./sessions.ts";
