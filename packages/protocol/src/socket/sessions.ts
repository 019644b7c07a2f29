import { z } from "zod";

const text = z.string().min(1);
/** Unix time in milliseconds. */
const time = z.number();

/** In full, `agent:<id>:<name>`; bare, for the default agent; or `main`. */
export const sessionKeyParamSchema = text.max(512);

/** A session as lists and events show it. */
export const sessionRowSchema = z.object({
  /** In full. */
  key: text,
  kind: z.enum(["direct", "global"]),
  agentId: text,
  isMain: z.boolean(),
  /** Names the session besides its key. */
  sessionId: text.optional(),
  createdAt: time.optional(),
  /** `null` for one that nothing was said in. */
  updatedAt: time.nullable(),
  label: z.string().optional(),
  displayName: z.string().optional(),
  modelProvider: z.string().optional(),
  model: z.string().optional(),
  /** Tokens that the model can take in, where known. */
  contextTokens: z.number().optional(),
  inputTokens: z.number().optional(),
  outputTokens: z.number().optional(),
  totalTokens: z.number().optional(),
  totalTokensFresh: z.boolean().optional(),
  thinkingLevel: z.string().optional(),
  hasActiveRun: z.boolean(),
  /** Runs under way or waiting. Empty: there is none. */
  activeRunIds: z.array(text),
});

const entrySchema = z.object({
  sessionId: text,
  updatedAt: time,
  label: z.string().optional(),
  modelOverride: z.string().optional(),
  providerOverride: z.string().optional(),
  thinkingLevel: z.string().optional(),
});

const defaultsSchema = z.object({
  modelProvider: z.string().nullable(),
  model: z.string().nullable(),
  contextTokens: z.int().nullable(),
});

export const sessionsListParamsSchema = z.object({
  limit: z.int().min(1).optional(),
  offset: z.int().min(0).optional(),
  agentId: text.optional(),
  /** Part of the label or the key, in any case. */
  search: z.string().optional(),
  /** The whole label. */
  label: text.max(512).optional(),
  /** Only those used in the last so many minutes. */
  activeMinutes: z.int().min(1).optional(),
});
/** Newest first. */
export const sessionsListResultSchema = z.object({
  ts: time,
  path: z.string(),
  count: z.int(),
  totalCount: z.int(),
  limitApplied: z.int(),
  nextOffset: z.int().nullable(),
  hasMore: z.boolean(),
  defaults: defaultsSchema,
  sessions: z.array(sessionRowSchema),
});

export const sessionsDescribeParamsSchema = z.object({ key: sessionKeyParamSchema, agentId: text.optional() });
export const sessionsDescribeResultSchema = z.object({ session: sessionRowSchema.nullable() });

export const sessionsResolveParamsSchema = z.object({
  key: sessionKeyParamSchema.optional(),
  sessionId: text.optional(),
  label: text.max(512).optional(),
  shortId: text.optional(),
  agentId: text.optional(),
});
export const sessionsResolveResultSchema = z.object({ ok: z.literal(true), key: text, agentId: text });

export const sessionsCreateParamsSchema = z.object({
  key: sessionKeyParamSchema.optional(),
  agentId: text.optional(),
  label: text.max(200).optional(),
  /** `provider/model`, for this session. */
  model: text.max(256).optional(),
  thinkingLevel: text.max(64).optional(),
});
export const sessionsCreateResultSchema = z.object({
  ok: z.literal(true),
  key: text,
  sessionId: text,
  entry: entrySchema,
  runStarted: z.literal(false),
});

/** `null` takes away what was set. */
export const sessionsPatchParamsSchema = z.object({
  key: sessionKeyParamSchema,
  agentId: text.optional(),
  label: text.max(200).nullable().optional(),
  model: text.max(256).nullable().optional(),
  thinkingLevel: text.max(64).nullable().optional(),
});
export const sessionsPatchResultSchema = z.object({
  ok: z.literal(true),
  path: z.string(),
  key: text,
  entry: entrySchema,
  resolved: z.object({ modelProvider: z.string().optional(), model: z.string().optional() }),
});

export const sessionsResetParamsSchema = z.object({
  key: sessionKeyParamSchema,
  agentId: text.optional(),
  reason: z.enum(["new", "reset"]).optional(),
});
export const sessionsResetResultSchema = z.object({ ok: z.literal(true), key: text, entry: entrySchema });

export const sessionsDeleteParamsSchema = z.object({ key: sessionKeyParamSchema, agentId: text.optional() });
export const sessionsDeleteResultSchema = z.object({
  ok: z.literal(true),
  key: text,
  deleted: z.boolean(),
  archived: z.array(text),
});

export const sessionsAbortParamsSchema = z.object({
  key: sessionKeyParamSchema.optional(),
  runId: text.optional(),
  agentId: text.optional(),
});
export const sessionsAbortResultSchema = z.object({
  ok: z.literal(true),
  abortedRunId: text.nullable(),
  status: z.enum(["aborted", "no-active-run"]),
});

export const subscribedResultSchema = z.object({ subscribed: z.boolean() });
export const messagesSubscribeParamsSchema = z.object({ key: sessionKeyParamSchema, agentId: text.optional() });
export const messagesSubscribeResultSchema = z.object({ subscribed: z.boolean(), key: text });

export type SessionRow = z.infer<typeof sessionRowSchema>;
