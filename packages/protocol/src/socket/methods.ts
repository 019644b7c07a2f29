import { z } from "zod";
import * as chat from "./chat.ts";
import type { SocketScope } from "./constants.ts";
import * as gateway from "./gateway.ts";
import * as sessions from "./sessions.ts";

interface Method {
  /** What it takes to call it; `null` for nothing. */
  readonly scope: SocketScope | null;
  /** Members that it does not know are passed over. */
  readonly params: z.ZodType;
  readonly result: z.ZodType;
}

const none = gateway.noParamsSchema;

/** All methods but `connect`, with their `params` and the payload of an answer. */
export const SOCKET_METHODS = {
  health: { scope: null, params: none, result: gateway.healthResultSchema },
  status: { scope: "operator.read", params: none, result: gateway.statusResultSchema },
  "system-presence": { scope: "operator.read", params: none, result: z.array(z.object({ ts: z.int() })) },
  "config.get": { scope: "operator.read", params: none, result: gateway.configGetResultSchema },
  "agents.list": { scope: "operator.read", params: none, result: gateway.agentsListResultSchema },
  "agent.identity.get": {
    scope: "operator.read",
    params: gateway.agentIdentityParamsSchema,
    result: gateway.agentIdentityResultSchema,
  },
  "models.list": {
    scope: "operator.read",
    params: gateway.modelsListParamsSchema,
    result: gateway.modelsListResultSchema,
  },
  "commands.list": { scope: "operator.read", params: none, result: z.object({ commands: z.array(z.never()) }) },
  "question.list": { scope: "operator.questions", params: none, result: z.object({ questions: z.array(z.never()) }) },
  "plugin.approval.list": { scope: "operator.approvals", params: none, result: z.array(z.never()) },
  "sessions.subscribe": { scope: "operator.read", params: none, result: sessions.subscribedResultSchema },
  "sessions.messages.subscribe": {
    scope: "operator.read",
    params: sessions.messagesSubscribeParamsSchema,
    result: sessions.messagesSubscribeResultSchema,
  },
  "sessions.messages.unsubscribe": {
    scope: "operator.read",
    params: sessions.messagesSubscribeParamsSchema,
    result: sessions.messagesSubscribeResultSchema,
  },
  "sessions.list": {
    scope: "operator.read",
    params: sessions.sessionsListParamsSchema,
    result: sessions.sessionsListResultSchema,
  },
  "sessions.describe": {
    scope: "operator.read",
    params: sessions.sessionsDescribeParamsSchema,
    result: sessions.sessionsDescribeResultSchema,
  },
  "sessions.resolve": {
    scope: "operator.read",
    params: sessions.sessionsResolveParamsSchema,
    result: sessions.sessionsResolveResultSchema,
  },
  "sessions.create": {
    scope: "operator.write",
    params: sessions.sessionsCreateParamsSchema,
    result: sessions.sessionsCreateResultSchema,
  },
  "sessions.patch": {
    scope: "operator.write",
    params: sessions.sessionsPatchParamsSchema,
    result: sessions.sessionsPatchResultSchema,
  },
  "sessions.reset": {
    scope: "operator.admin",
    params: sessions.sessionsResetParamsSchema,
    result: sessions.sessionsResetResultSchema,
  },
  "sessions.delete": {
    scope: "operator.write",
    params: sessions.sessionsDeleteParamsSchema,
    result: sessions.sessionsDeleteResultSchema,
  },
  "sessions.abort": {
    scope: "operator.write",
    params: sessions.sessionsAbortParamsSchema,
    result: sessions.sessionsAbortResultSchema,
  },
  "chat.history": {
    scope: "operator.read",
    params: chat.chatHistoryParamsSchema,
    result: chat.chatHistoryResultSchema,
  },
  "chat.send": { scope: "operator.write", params: chat.chatSendParamsSchema, result: chat.chatSendResultSchema },
  "chat.abort": { scope: "operator.write", params: chat.chatAbortParamsSchema, result: chat.chatAbortResultSchema },
  "chat.inject": { scope: "operator.admin", params: chat.chatInjectParamsSchema, result: chat.chatInjectResultSchema },
  agent: { scope: "operator.write", params: chat.agentParamsSchema, result: chat.agentResultSchema },
  "agent.wait": {
    scope: "operator.write",
    params: chat.agentWaitParamsSchema,
    result: chat.agentWaitResultSchema,
  },
} as const satisfies Record<string, Method>;

export type SocketMethodName = keyof typeof SOCKET_METHODS;
/** What a method is asked with. */
export type SocketParams<Name extends SocketMethodName> = z.input<(typeof SOCKET_METHODS)[Name]["params"]>;
/** What it answers. */
export type SocketResult<Name extends SocketMethodName> = z.infer<(typeof SOCKET_METHODS)[Name]["result"]>;
