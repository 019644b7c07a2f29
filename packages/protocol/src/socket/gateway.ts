import { z } from "zod";

const text = z.string().min(1);
/** Unix time in milliseconds. */
const time = z.int();

export const sessionDefaultsSchema = z.object({
  defaultAgentId: text,
  mainKey: text,
  mainSessionKey: text,
  scope: z.literal("per-sender"),
});

const recentSchema = z.object({ key: text, updatedAt: time.nullable(), age: z.int().nullable() });

export const healthResultSchema = z.object({
  ok: z.literal(true),
  ts: time,
  durationMs: z.int(),
  channels: z.object({}),
  channelOrder: z.array(text),
  channelLabels: z.object({}),
  heartbeatSeconds: z.int(),
  defaultAgentId: text,
  agents: z.array(
    z.object({
      agentId: text,
      isDefault: z.boolean(),
      heartbeat: z.object({
        enabled: z.boolean(),
        every: z.string(),
        everyMs: z.int().nullable(),
        prompt: z.string(),
        target: z.string(),
        ackMaxChars: z.int(),
      }),
      sessions: z.object({ path: z.string(), count: z.int(), recent: z.array(recentSchema) }),
    }),
  ),
  sessions: z.object({ path: z.string(), count: z.int(), recent: z.array(recentSchema) }),
});

export const statusResultSchema = z.object({
  runtimeVersion: text,
  heartbeat: z.object({ defaultAgentId: text, agents: z.array(z.unknown()) }),
  channelSummary: z.array(z.string()),
  queuedSystemEvents: z.array(z.string()),
  sessions: z.object({
    paths: z.array(z.string()),
    count: z.int(),
    defaults: z.object({ model: z.string().nullable(), contextTokens: z.int().nullable() }),
    recent: z.array(recentSchema),
    byAgent: z.array(z.unknown()),
  }),
});

/** No setting of the gateway is told over the socket: what its clients ask for is whether it has any. */
export const configGetResultSchema = z.object({
  path: z.string().nullable(),
  exists: z.boolean(),
  raw: z.string().nullable(),
  parsed: z.object({}),
  valid: z.boolean(),
  config: z.object({}),
  runtimeConfig: z.object({}),
  hash: z.string(),
  issues: z.array(z.unknown()),
  warnings: z.array(z.unknown()),
  legacyIssues: z.array(z.unknown()),
});

export const agentsListResultSchema = z.object({
  defaultId: text,
  mainKey: text,
  scope: z.literal("per-sender"),
  agents: z.array(
    z.object({
      id: text,
      name: text.optional(),
      /** For clients with the capability `agent-kind`. */
      kind: z.literal("agent").optional(),
      model: z.object({ primary: text }).optional(),
    }),
  ),
});

export const agentIdentityParamsSchema = z.object({ agentId: text.optional(), sessionKey: text.optional() });
export const agentIdentityResultSchema = z.object({ agentId: text, name: text.optional() });

export const modelsListParamsSchema = z.object({
  view: z.enum(["default", "configured", "provider-config", "all"]).optional(),
  agentId: text.optional(),
});
export const modelsListResultSchema = z.object({
  models: z.array(
    z.object({
      /** What the provider calls it; `provider/id` names it in full. */
      id: text,
      name: text,
      provider: text,
      /** Tokens. */
      contextWindow: z.int().min(1).optional(),
      input: z.array(text).optional(),
    }),
  ),
});

export const noParamsSchema = z.object({});
