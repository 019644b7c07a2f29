import { z } from "zod";
import { finishReasonSchema, usageSchema } from "./chat/completion.ts";

/** The agent began to use a tool of its own. */
const toolStartSchema = z.object({ type: z.literal("tool-start"), id: z.string(), name: z.string() });

/** The agent's own tool ended. */
const toolEndSchema = z.object({ type: z.literal("tool-end"), id: z.string(), ok: z.boolean() });

/** A call of a model began to answer. Comes with the first that the model says. */
const modelSchema = z.object({ type: z.literal("model"), model: z.string() });

/** What the agent does besides talking. */
export const agentActivitySchema = z.discriminatedUnion("type", [toolStartSchema, toolEndSchema, modelSchema]);

/**
 * What happens in a run, in order: one `run-start`, any number of deltas and activities, exactly one `run-end` or
 * `run-error`. Every door (HTTP, command line, socket) turns these into its own wire.
 */
export const runEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("run-start"),
    runId: z.string(),
    agentId: z.string(),
    sessionKey: z.string(),
    /** Unix time in seconds. */
    created: z.number(),
  }),
  z.object({ type: z.literal("text-delta"), text: z.string() }),
  z.object({ type: z.literal("reasoning-delta"), text: z.string() }),
  /** Said in place of an answer: why there is none. */
  z.object({ type: z.literal("refusal-delta"), text: z.string() }),
  /** The model began a call of a tool that the client runs. `index` counts the calls of this answer from 0. */
  z.object({ type: z.literal("tool-call-start"), index: z.number(), id: z.string(), name: z.string() }),
  /** A piece of that call's arguments, JSON text as the model writes it. */
  z.object({ type: z.literal("tool-call-delta"), index: z.number(), arguments: z.string() }),
  toolStartSchema,
  toolEndSchema,
  modelSchema,
  /** Tokens of one model call, as the provider reported them. */
  z.object({ type: z.literal("usage"), usage: usageSchema }),
  z.object({ type: z.literal("run-end"), finishReason: finishReasonSchema, usage: usageSchema.optional() }),
  z.object({
    type: z.literal("run-error"),
    error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }),
  }),
]);

export type AgentActivity = z.infer<typeof agentActivitySchema>;
export type RunEvent = z.infer<typeof runEventSchema>;
