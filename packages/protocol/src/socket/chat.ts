import { z } from "zod";
import { sessionKeyParamSchema, sessionRowSchema } from "./sessions.ts";

const text = z.string().min(1);
const time = z.number();

/** Names a run from outside, and is its id: the same again starts nothing. */
const idempotencyKeySchema = text.max(256);

const textBlockSchema = z.object({ type: z.literal("text"), text: z.string() });
const otherBlockSchema = z.looseObject({ type: text });

/** Where a message stands in its session. */
const placeSchema = z.object({
  id: text,
  /** From 1, on the way to the head. */
  seq: z.int().min(1),
  runId: text.optional(),
});

/** A message of a session. */
export const chatMessageSchema = z.object({
  role: z.enum(["user", "assistant", "toolResult"]),
  content: z.union([z.string(), z.array(z.union([textBlockSchema, otherBlockSchema]))]),
  timestamp: time,
  /** Of the user's: `<run id>:user`. */
  idempotencyKey: text.optional(),
  /** Of the assistant's. */
  provider: z.string().optional(),
  model: z.string().optional(),
  stopReason: z.string().optional(),
  usage: z.object({ input: z.int(), output: z.int(), totalTokens: z.int() }).optional(),
  /** Of a result: the call it answers. */
  toolCallId: text.optional(),
  __openclaw: placeSchema.optional(),
});

/** An attachment: an image, in base64. */
const attachmentSchema = z.object({
  type: z.string().optional(),
  mimeType: z.string().max(256).optional(),
  fileName: z.string().max(512).optional(),
  content: z.unknown().optional(),
});
const attachmentsSchema = z.array(attachmentSchema).max(32).optional();

export const chatHistoryParamsSchema = z.object({
  sessionKey: sessionKeyParamSchema,
  agentId: text.optional(),
  /** @defaultValue 200 */
  limit: z.int().min(1).max(1000).optional(),
  /** How many of the newest to leave out. */
  offset: z.int().min(0).optional(),
  /** UTF-16 code units of each message's text. */
  maxChars: z.int().min(1).max(500_000).optional(),
});
export const chatHistoryResultSchema = z.object({
  /** As asked. */
  sessionKey: text,
  sessionId: text.optional(),
  /** Oldest first. */
  messages: z.array(chatMessageSchema),
  pendingInputs: z.object({ items: z.array(z.unknown()), total: z.int() }),
  hasMore: z.boolean(),
  nextOffset: z.int().optional(),
  totalMessages: z.int(),
  defaults: z.object({
    modelProvider: z.string().nullable(),
    model: z.string().nullable(),
    contextTokens: z.int().nullable(),
  }),
  sessionInfo: sessionRowSchema,
  /** What is being answered now, and how far it is. */
  inFlightRun: z.object({ runId: text, text: z.string() }).optional(),
  thinkingLevel: z.string().optional(),
});

export const chatSendParamsSchema = z.object({
  sessionKey: sessionKeyParamSchema,
  message: z.string(),
  idempotencyKey: idempotencyKeySchema,
  agentId: text.optional(),
  thinking: z.string().max(64).optional(),
  /** Milliseconds; 0 for the agent's own. */
  timeoutMs: z.int().min(0).optional(),
  attachments: attachmentsSchema,
});
export const chatSendResultSchema = z.object({
  runId: text,
  status: z.enum(["started", "in_flight", "ok", "timeout", "error"]),
  summary: z.string().optional(),
  stopReason: z.string().optional(),
  endedAt: time.optional(),
});

export const chatAbortParamsSchema = z.object({
  sessionKey: sessionKeyParamSchema,
  runId: text.optional(),
  agentId: text.optional(),
});
export const chatAbortResultSchema = z.object({ ok: z.literal(true), aborted: z.boolean(), runIds: z.array(text) });

export const chatInjectParamsSchema = z.object({
  sessionKey: sessionKeyParamSchema,
  message: text,
  agentId: text.optional(),
  label: z.string().max(100).optional(),
});
export const chatInjectResultSchema = z.object({ ok: z.literal(true), messageId: text });

export const agentParamsSchema = z.object({
  message: text,
  idempotencyKey: idempotencyKeySchema,
  /** Absent: the main session of the agent. */
  sessionKey: z.string().max(512).optional(),
  agentId: text.optional(),
  /** Another model for this run, `provider/model`. */
  model: text.max(256).optional(),
  thinking: z.string().max(64).optional(),
  /** Seconds; 0 for the agent's own. */
  timeout: z.int().min(0).optional(),
  /** More instructions, for this run. */
  extraSystemPrompt: z.string().optional(),
  attachments: attachmentsSchema,
});
const agentRunSchema = z.object({ runId: text, sessionKey: text, agentId: text });
/** `accepted` comes first, and the end in a second response with the same id. */
export const agentResultSchema = z.union([
  agentRunSchema.extend({ status: z.literal("accepted"), acceptedAt: time }),
  agentRunSchema.extend({ status: z.literal("in_flight") }),
  z.object({
    runId: text,
    status: z.literal("ok"),
    summary: z.string(),
    result: z.object({
      payloads: z.array(z.object({ text: z.string(), mediaUrl: z.null() })),
      meta: z.object({
        durationMs: z.number(),
        agentMeta: z.object({
          sessionId: text,
          provider: z.string().optional(),
          model: z.string().optional(),
          usage: z.object({ input: z.int(), output: z.int(), total: z.int() }).optional(),
        }),
      }),
    }),
  }),
  z.object({
    runId: text,
    status: z.literal("timeout"),
    summary: z.string().optional(),
    stopReason: z.string().optional(),
    error: z.string().optional(),
  }),
  z.object({ runId: text, status: z.literal("error"), summary: z.string() }),
]);

export const agentWaitParamsSchema = z.object({
  runId: text.max(256),
  /** @defaultValue 30_000 */
  timeoutMs: z.int().min(0).optional(),
});
export const agentWaitResultSchema = z.object({
  runId: text,
  /** `timeout` without `endedAt`: it is not known, or goes on. */
  status: z.enum(["ok", "error", "timeout", "pending"]),
  startedAt: time.optional(),
  endedAt: time.optional(),
  error: z.string().optional(),
  stopReason: z.string().optional(),
  terminalReply: z.object({ disposition: z.literal("visible"), text: z.string() }).optional(),
  timeoutPhase: z.literal("queue").optional(),
  providerStarted: z.boolean().optional(),
});

export type ChatMessage = z.infer<typeof chatMessageSchema>;
