import { expectTypeOf, test } from "vitest";
import { isOpenClawError } from "../src/index.ts";
import {
  type ChatMessage,
  createSocket,
  type HelloOk,
  type RunError,
  type RunResult,
  type SessionRow,
  type Socket,
  type SocketError,
  type SocketEventPayload,
  type SocketOptions,
  type SocketRun,
  type SocketStatus,
  type WatchedSession,
} from "../src/socket/index.ts";

declare const socket: Socket;
declare const signal: AbortSignal;

test("options are those of the client, where they are the same", () => {
  expectTypeOf(createSocket).parameters.toEqualTypeOf<[options: SocketOptions]>();
  createSocket({ baseUrl: "", token: async () => "token", WebSocket, scopes: ["operator.admin"], client: { id: "x" } });
  // @ts-expect-error no such scope
  createSocket({ baseUrl: "", scopes: ["admin"] });
  // @ts-expect-error as of the client
  createSocket({ baseUrl: "", apiKey: "" });
});

test("a request has the params and the result of its method", () => {
  expectTypeOf(socket.connect({ signal })).resolves.toEqualTypeOf<HelloOk>();
  expectTypeOf(socket.request("health")).resolves.toHaveProperty("defaultAgentId").toBeString();
  expectTypeOf(socket.request("sessions.list")).resolves.toHaveProperty("sessions").toEqualTypeOf<SessionRow[]>();
  void socket.request("sessions.list", { limit: 10 }, { signal, timeout: 1 });
  void socket.request("agent.wait", { runId: "" });
  expectTypeOf(socket.history("main", { limit: 1 }))
    .resolves.toHaveProperty("messages")
    .toEqualTypeOf<ChatMessage[]>();
  expectTypeOf(socket.abort("main")).resolves.toHaveProperty("runIds").toEqualTypeOf<string[]>();
  // @ts-expect-error it needs params
  void socket.request("agent.wait");
  // @ts-expect-error others
  void socket.request("sessions.list", { sessionKey: "main" });
  // @ts-expect-error no such method
  void socket.request("sessions.nothing");
});

test("a run is its text, and what it came to", async () => {
  expectTypeOf(socket.send("main", "hi", { signal })).resolves.toEqualTypeOf<SocketRun>();
  const run = await socket.send({ sessionKey: "main", message: "hi", thinking: "high", idempotencyKey: "key" });
  for await (const text of run) expectTypeOf(text).toBeString();
  expectTypeOf(run.done()).resolves.toEqualTypeOf<RunResult>();
  expectTypeOf(run.abort()).resolves.toBeBoolean();
  // @ts-expect-error a message is missing
  void socket.send({ sessionKey: "main" });
});

test("a listener gets what comes with its event", () => {
  const stop = socket.on("chat", (chat) => {
    expectTypeOf(chat).toEqualTypeOf<SocketEventPayload<"chat">>();
    if (chat.state === "delta") expectTypeOf(chat.deltaText).toBeString();
  });
  expectTypeOf(stop).toEqualTypeOf<() => void>();
  socket.on("gap", (gap) => expectTypeOf(gap).toEqualTypeOf<{ expected: number; received: number }>());
  socket.on("status", (status) => {
    expectTypeOf(status).toEqualTypeOf<SocketStatus>();
    if (status.state === "waiting") expectTypeOf(status.delayMs).toBeNumber();
  });
  // @ts-expect-error it is over when anybody could hear of it
  socket.on("connect.challenge", () => {});
});

test("a watch gets a snapshot, which nobody may change", () => {
  socket.watch("main", (session) => {
    expectTypeOf(session).toEqualTypeOf<WatchedSession>();
    // @ts-expect-error it is the next one's, too
    session.messages.push();
  });
});

test("errors are told apart by their names", () => {
  const error: unknown = undefined;
  if (isOpenClawError(error, "SocketError")) expectTypeOf(error).toEqualTypeOf<SocketError>();
  if (isOpenClawError(error, "RunError")) expectTypeOf(error).toEqualTypeOf<RunError>();
});
