import { z } from "zod";
import { chatMessageSchema } from "./chat.ts";
import { sessionRowSchema } from "./sessions.ts";

const text = z.string().min(1);
const time = z.number();

const chatOf = z.object({
  runId: text,
  /** In full. */
  sessionKey: text,
  agentId: text.optional(),
  /** That of the `agent` event it mirrors. */
  seq: z.int().min(0),
  /** Whose run it is, where it is not the reader's own: only for `operator.admin`. */
  owner: text.optional(),
});

/** What somebody says who reads along. Each run has exactly one of `final`, `aborted` and `error`. */
const chatEventSchema = z.discriminatedUnion("state", [
  chatOf.extend({
    state: z.literal("delta"),
    /** What was added. */
    deltaText: z.string(),
    /** All of it so far. */
    message: chatMessageSchema,
    /** The text was written anew: `deltaText` is all of it. */
    replace: z.boolean().optional(),
  }),
  chatOf.extend({
    state: z.literal("final"),
    /** Absent: there is no answer in words. */
    message: chatMessageSchema.optional(),
    stopReason: z.string(),
    usage: z.object({ input: z.int(), output: z.int(), totalTokens: z.int() }).optional(),
  }),
  chatOf.extend({
    state: z.literal("aborted"),
    stopReason: z.string(),
    /** What had been said by then. */
    message: chatMessageSchema.optional(),
  }),
  chatOf.extend({
    state: z.literal("error"),
    errorMessage: z.string(),
    errorKind: z.enum(["refusal", "timeout", "rate_limit", "context_length", "unknown"]),
    /** What had been said by then. */
    message: chatMessageSchema.optional(),
  }),
]);

/** What happens in a run. */
const agentEventSchema = z.object({
  runId: text,
  sessionKey: text,
  agentId: text,
  sessionId: text,
  /** `lifecycle`, `assistant` or `tool`. */
  stream: text,
  data: z.record(z.string(), z.unknown()),
  /** Counts the events of the run from 1, without gaps. */
  seq: z.int().min(0),
  ts: time,
  owner: text.optional(),
});

/** A message was added to a session. */
const sessionMessageEventSchema = z.object({
  sessionKey: text,
  sessionId: text,
  agentId: text,
  message: chatMessageSchema,
  messageId: text,
  messageSeq: z.int().min(1),
  updatedAt: time,
  session: sessionRowSchema,
  owner: text.optional(),
});

/** A session is another than it was. */
const sessionsChangedEventSchema = z.object({
  sessionKey: text,
  agentId: text,
  ts: time,
  /** `create`, `patch`, `reset`, `delete`, `inject`. */
  reason: z.string().optional(),
  /** A run began or ended in it. */
  phase: z.enum(["start", "end", "error"]).optional(),
  runId: text.optional(),
  /** `null` when it was deleted. */
  session: sessionRowSchema.nullable(),
  owner: text.optional(),
});

/** Payloads of events by their names. */
export const SOCKET_EVENTS = {
  "connect.challenge": z.object({ nonce: text, ts: z.int() }),
  tick: z.object({ ts: z.int() }),
  shutdown: z.object({ reason: z.string(), restartExpectedMs: z.int().optional() }),
  chat: chatEventSchema,
  agent: agentEventSchema,
  "session.message": sessionMessageEventSchema,
  "sessions.changed": sessionsChangedEventSchema,
} as const;

export type SocketEventName = keyof typeof SOCKET_EVENTS;
/** What comes with an event. */
export type SocketEventPayload<Name extends SocketEventName> = z.infer<(typeof SOCKET_EVENTS)[Name]>;
