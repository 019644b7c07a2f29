import { expectTypeOf, test } from "vitest";
import type { SocketScope } from "../src/index.ts";
import type {
  ChatMessage,
  HelloOk,
  SessionRow,
  SOCKET_METHODS,
  SocketEventName,
  SocketEventPayload,
  SocketMethodName,
  SocketParams,
  SocketResult,
} from "../src/socket/index.ts";

test("every method and every event has types of its own, and none is `any`", () => {
  type Untyped = {
    [Name in SocketMethodName]: 0 extends 1 & (SocketParams<Name> | SocketResult<Name>) ? Name : never;
  }[SocketMethodName];
  expectTypeOf<Untyped>().toEqualTypeOf<never>();
  type UntypedEvent = { [Name in SocketEventName]: 0 extends 1 & SocketEventPayload<Name> ? Name : never };
  expectTypeOf<UntypedEvent[SocketEventName]>().toEqualTypeOf<never>();
  expectTypeOf<(typeof SOCKET_METHODS)[SocketMethodName]["scope"]>().toExtend<SocketScope | null>();
  expectTypeOf<(typeof SOCKET_METHODS)["chat.send"]["scope"]>().toEqualTypeOf<"operator.write">();
});

test("params have what is needed and what may be", () => {
  expectTypeOf<{ sessionKey: string; message: string; idempotencyKey: string }>().toExtend<SocketParams<"chat.send">>();
  expectTypeOf<{ sessionKey: string; message: string }>().not.toExtend<SocketParams<"chat.send">>();
  expectTypeOf<SocketParams<"sessions.patch">["model"]>().toEqualTypeOf<string | null | undefined>();
  expectTypeOf<SocketParams<"sessions.create">["model"]>().toEqualTypeOf<string | undefined>();
});

test("results are told apart by their status, chat events by their state", () => {
  type Ok = Extract<SocketResult<"agent">, { status: "ok" }>;
  expectTypeOf<Ok["result"]["payloads"][number]["text"]>().toBeString();
  expectTypeOf<SocketResult<"agent">["status"]>().toEqualTypeOf<
    "accepted" | "in_flight" | "ok" | "timeout" | "error"
  >();
  type Chat = SocketEventPayload<"chat">;
  expectTypeOf<Chat["state"]>().toEqualTypeOf<"delta" | "final" | "aborted" | "error">();
  expectTypeOf<Extract<Chat, { state: "delta" }>["deltaText"]>().toBeString();
  expectTypeOf<Extract<Chat, { state: "delta" }>["message"]>().toEqualTypeOf<ChatMessage>();
  expectTypeOf<Extract<Chat, { state: "final" }>["message"]>().toEqualTypeOf<ChatMessage | undefined>();
  expectTypeOf<SocketResult<"sessions.list">["sessions"][number]>().toEqualTypeOf<SessionRow>();
  expectTypeOf<SocketEventPayload<"sessions.changed">["session"]>().toEqualTypeOf<SessionRow | null>();
  expectTypeOf<HelloOk["policy"]["tickIntervalMs"]>().toBeNumber();
});
